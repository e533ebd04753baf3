import { crc32 } from 'node:zlib'
import { type ProblemCode, ServiceError } from '../core/errors.ts'
import type { Stored } from '../core/memory/byteLog.ts'
import type { Entry, Times } from './entry.ts'

/*
 * Layout: magic · time of the fetch, 13 digits, for Redis to compare · CRC-32 of all that follows ·
 * length of the head · head as JSON · body.
 */
export const MAGIC = 'GCS1'
export const AS_OF = { start: MAGIC.length, digits: 13 } as const
const CRC = AS_OF.start + AS_OF.digits
const LENGTH = CRC + 4
const HEAD = LENGTH + 4

interface Head extends Times {
  readonly tags: readonly string[]
  readonly contextId?: string
  readonly refusal?: {
    readonly code: ProblemCode
    readonly detail: string
    readonly upstreamStatus: number | undefined
  }
}

/** For Redis. */
export function encodeEntry(entry: Entry): Buffer {
  const stored = packEntry(entry)
  const head = Buffer.from(stored.head)
  const bytes = Buffer.concat([Buffer.alloc(HEAD), head, stored.body])
  bytes.write(MAGIC + String(Math.floor(entry.asOf)).padStart(AS_OF.digits, '0'), 'latin1')
  bytes.writeUInt32BE(head.length, LENGTH)
  bytes.writeUInt32BE(crc32(bytes.subarray(LENGTH)), CRC)
  return bytes
}

/** The entry, or undefined for anything that `encodeEntry` did not write. */
export function decodeEntry(bytes: Buffer): Entry | undefined {
  if (bytes.length < HEAD || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined
  if (crc32(bytes.subarray(LENGTH)) !== bytes.readUInt32BE(CRC)) return undefined
  const bodyStart = HEAD + bytes.readUInt32BE(LENGTH)
  return unpackEntry({
    head: bytes.toString('utf8', HEAD, bodyStart),
    body: bytes.subarray(bodyStart),
  })
}

/** What is not body as one text. */
export function packEntry(entry: Entry): Stored {
  const body = entry.kind === 'answer' ? entry.body : Buffer.alloc(0)
  return { head: JSON.stringify(headOf(entry)), body }
}

export function unpackEntry({ body, head }: Stored): Entry {
  const { contextId, refusal, ...common } = JSON.parse(head) as Head
  if (!refusal) return { kind: 'answer', contextId: contextId ?? '', body, ...common }
  const { code, detail, upstreamStatus } = refusal
  const options = upstreamStatus === undefined ? {} : { upstreamStatus }
  return { kind: 'refusal', error: new ServiceError(code, detail, options), ...common }
}

function headOf(entry: Entry): Head {
  const { asOf, freshUntil, staleUntil, keepUntil, openUntil, told, tags } = entry
  // What is undefined is not in JSON.
  const common = { asOf, freshUntil, staleUntil, keepUntil, openUntil, told, tags } as Head
  if (entry.kind === 'answer') return { ...common, contextId: entry.contextId }
  const { code, detail, upstreamStatus } = entry.error
  return { ...common, refusal: { code, detail, upstreamStatus } }
}
