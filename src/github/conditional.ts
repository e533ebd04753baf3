import type { Credential } from './credentials.ts'
import { type Exchange, type Headers, header } from './exchange.ts'
import { unreadable } from './failures.ts'
import { inflate } from './inflate.ts'
import {
  credentialDigest,
  type Found,
  LARGEST_KEPT,
  type Resource,
  type ResourceStore,
} from './resources.ts'
import { computeTag, opaque, type TagDrift } from './validators.ts'

/** A resource as it is now, and whether GitHub said that it had not changed. */
export interface Current {
  readonly body: Buffer
  readonly link: string | undefined
  readonly unchanged: boolean
}

export interface Conditions {
  readonly resources: ResourceStore
  readonly drift: TagDrift
}

export interface ConditionalRequest {
  /** Names the resource: host, version, media type and path. */
  readonly name: string
  readonly accept: string
  readonly credential: Credential
  readonly authorization: string | undefined
  /** Sends the request with these headers added. @throws ServiceError where GitHub does not answer 200 or 304 */
  send(headers: Record<string, string>): Promise<Exchange>
  /** Told where the list goes on, where that is known by a 304; of other answers `send` tells. */
  readonly onLink?: ((link: string | undefined) => void) | undefined
}

/**
 * Fetches by a conditional request where something is kept. The tag is computed from the kept body
 * and the credential at hand, so that a 304 is GitHub's word that it would send this credential
 * exactly these bytes, and the credential's rotation costs nothing.
 */
export async function fetchConditionally(
  { resources, drift }: Conditions,
  request: ConditionalRequest,
): Promise<Current> {
  const found = await findWhole(resources, request)
  const tag = found && tagFor(found, request, drift)
  let answer = await request.send(tag === undefined ? {} : { 'if-none-match': tag })
  if (answer.status === 304 && found && tag !== undefined) {
    const { body } = found
    const { link } = found.resource
    const toldLink = header(answer.headers, 'link')
    // A tag proves a body, not where a list goes on: that was said to another principal alone.
    if (toldLink !== undefined || link === undefined || found.own) {
      request.onLink?.(toldLink ?? link)
      return { body, link: toldLink ?? link, unchanged: true }
    }
    answer = await request.send({})
  }
  if (answer.status === 304) throw unreadable(new Error('a 304 that was not asked for'))
  await keep(answer, request, { resources, drift })
  return { body: answer.body, link: header(answer.headers, 'link'), unchanged: false }
}

interface Whole extends Found {
  /** Uncompressed. */
  readonly body: Buffer
}

/** What is kept, where it can be read. */
async function findWhole(
  resources: ResourceStore,
  { credential, name }: ConditionalRequest,
): Promise<Whole | undefined> {
  const found = await resources.find(credential.principal, name)
  if (!found) return undefined
  const { body, zipped } = found.resource
  if (!zipped) return { ...found, body }
  const whole = await inflate(body).catch(() => undefined)
  return whole && { ...found, body: whole }
}

function tagFor(
  { body, own, resource }: Whole,
  request: ConditionalRequest,
  drift: TagDrift,
): string | undefined {
  const { accept, authorization, credential } = request
  const weak = resource.tag.startsWith('W/') ? 'W/' : ''
  if (drift.trusted(credential.principal)) {
    return `${weak}"${computeTag({ accept, authorization }, body)}"`
  }
  // GitHub's own tag belongs to the credential that it was sent to.
  const same = own && resource.tagFor === credentialDigest(credential.principal, authorization)
  return same ? resource.tag : undefined
}

async function keep(
  { body, gzip, headers }: Exchange,
  { accept, authorization, credential, name }: ConditionalRequest,
  { resources, drift }: Conditions,
): Promise<void> {
  const tag = tagOf(headers)
  if (tag === undefined) return
  drift.compare(credential.principal, { sent: tag, input: { accept, authorization }, body })
  if (body.length > LARGEST_KEPT) return
  const resource: Resource = {
    body: gzip ?? body,
    zipped: gzip !== undefined,
    tag,
    tagFor: credentialDigest(credential.principal, authorization),
    link: header(headers, 'link'),
  }
  await resources.keep(credential.principal, name, resource)
}

/** The entity tag of an answer, if it has a usable one. */
function tagOf(headers: Headers): string | undefined {
  const tag = header(headers, 'etag')
  return tag !== undefined && opaque(tag) !== '' ? tag : undefined
}
