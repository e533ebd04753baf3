import { hash } from 'node:crypto'
import type { Stored } from '../core/memory/byteLog.ts'
import { createTwoQueues } from '../core/memory/twoQueues.ts'
import { ownBytes } from '../core/ownBytes.ts'

/** What GitHub last said of one resource. */
export interface Resource {
  /** As it came: a third as long as it is where it came zipped. */
  readonly body: Buffer
  readonly zipped: boolean
  /** Entity tag as GitHub sent it, and a digest of the credential that it was sent to. */
  readonly tag: string
  readonly tagFor: string
  /** `Link` header, by which a list goes on. */
  readonly link: string | undefined
}

/**
 * Bodies with their validators, so that asking again can be a conditional request. Nothing in here
 * is ever served without GitHub's 304 for the credential at hand.
 */
export interface ResourceStore {
  /** What GitHub said to this principal, or failing that to any other. */
  find(principal: string, name: string): Promise<Found | undefined>
  keep(principal: string, name: string, resource: Resource): Promise<void>
  readonly bytes: number
}

export interface Found {
  readonly resource: Resource
  /** Whether it was said to this very principal. */
  readonly own: boolean
}

/** Bytes of a body, and of what is kept of it. Larger ones are fetched whole each time. */
export const LARGEST_KEPT = 4 * 1024 * 1024
/** Bytes that V8 needs beside texts and body: the objects, the Buffer, the places in both lists. */
const OVERHEAD = 200

/** Share of the bytes for remembering whom to ask. */
const HINTS_SHARE = 1 / 16

/** Resources of this process alone, bounded by bytes. */
export function createMemoryResources(maxBytes: number): ResourceStore {
  const hintBytes = Math.floor(maxBytes * HINTS_SHARE)
  const resources = createTwoQueues<Resource>({
    maxBytes: maxBytes - hintBytes,
    largest: 1 / 4,
    usual: 1024,
    sizeOf,
    compact: (resource) => ({ ...resource, body: ownBytes(resource.body) }),
    pack,
    unpack,
  })
  /** The principal that a resource was last sent to: after a rotation its body is as good. */
  const latest = createTwoQueues<string>({
    maxBytes: hintBytes,
    largest: 1 / 4,
    usual: 128,
    sizeOf: (principal, name) => OVERHEAD + principal.length + name.length,
    compact: (principal) => principal,
    pack: (principal) => ({ head: principal, body: NOTHING }),
    unpack: ({ head }) => head,
  })
  const read = (principal: string | undefined, name: string) =>
    principal === undefined ? undefined : resources.get(`${principal} ${name}`)
  return {
    async find(principal, name) {
      const own = read(principal, name)
      const resource = own ?? read(latest.get(name), name)
      return resource && { resource, own: own !== undefined }
    },
    async keep(principal, name, resource) {
      if (resource.body.length > LARGEST_KEPT) return
      resources.set(`${principal} ${name}`, resource)
      latest.set(name, principal)
    },
    get bytes() {
      return resources.bytes() + latest.bytes()
    },
  }
}

const NOTHING = Buffer.alloc(0)

function pack({ body, ...rest }: Resource): Stored {
  return { head: JSON.stringify(rest), body }
}

function unpack({ body, head }: Stored): Resource {
  const { link, tag, tagFor, zipped } = JSON.parse(head) as Omit<Resource, 'body'>
  return { body, zipped, tag, tagFor, link }
}

function sizeOf({ body, link = '', tag, tagFor }: Resource, key: string): number {
  return OVERHEAD + key.length + tag.length + tagFor.length + link.length + body.length
}

/** The last digest: most resources are asked for in one name, and share the one text. */
let last = { of: '', digest: '' }

/** Digest of a credential, to tell whether a stored tag was sent to the same one. */
export function credentialDigest(principal: string, authorization: string | undefined): string {
  const of = `${principal}:${authorization ?? ''}`
  if (last.of !== of) last = { of, digest: hash('sha256', of, 'base64url') }
  return last.digest
}
