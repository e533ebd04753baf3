import { promisify } from 'node:util'
import { crc32, createInflateRaw, gunzip } from 'node:zlib'
import { MAX_RESPONSE_BYTES } from './upstream.ts'

const gunzipAsync = promisify(gunzip)
/** Bytes of a text that is inflated by streams which are kept. */
const SHORT = 65_536
/** Bytes that are inflated at once of a longer one: with the default, 16 KiB, a page takes ten turns. */
const LARGEST_CHUNK = 1_048_576
/** Streams that are kept, of 100 kB each: about as many answers come at once. */
const MOST_IDLE = 16

/** What a gzip begins with that has no more in its head than it must (RFC 1952, section 2.3). */
const PLAIN = Buffer.from([0x1f, 0x8b, 8, 0])
/** Bytes of its head; and of its end, which tells the CRC-32 of the text and how long it is. */
const HEAD = 10
const TAIL = 8

/** What a gzip holds. @throws zlib's errors for what is none, or holds too much */
export async function inflate(bytes: Buffer): Promise<Buffer> {
  const told = bytes.length < HEAD + TAIL ? 0 : bytes.readUInt32LE(bytes.length - 4)
  const isShort = told > 0 && told <= SHORT && bytes.subarray(0, PLAIN.length).equals(PLAIN)
  const short = isShort ? await inflateShort(bytes) : undefined
  if (short) return short
  // One more byte than the text has: only then its end is seen at once.
  const chunkSize = Math.min(LARGEST_CHUNK, Math.max(SHORT, told + 1))
  return gunzipAsync(bytes, { maxOutputLength: MAX_RESPONSE_BYTES, chunkSize })
}

interface Inflater {
  /** Undefined for what is no deflated text, has more behind it, or is not short. */
  inflate(deflated: Buffer): Promise<Buffer | undefined>
  close(): void
}

const idle: Inflater[] = []

/**
 * V8 takes zlib's objects for alive, whatever holds them, until it looks through the whole heap: a new
 * stream for each answer is copied by each collection until then, while everybody waits.
 * @returns undefined for anything but one whole gzip of a short text
 */
async function inflateShort(bytes: Buffer): Promise<Buffer | undefined> {
  const inflater = idle.pop() ?? createInflater()
  const text = await inflater.inflate(bytes.subarray(HEAD, -TAIL))
  const isWhole = text !== undefined && tells(bytes.subarray(-TAIL), text)
  // Only one that came to the end of what it was given, and no further, can be given more.
  if (isWhole && idle.length < MOST_IDLE) idle.push(inflater)
  else inflater.close()
  return isWhole ? text : undefined
}

const tells = (tail: Buffer, text: Buffer) =>
  tail.readUInt32LE(4) === text.length && tail.readUInt32LE() === crc32(text)

function createInflater(): Inflater {
  const stream = createInflateRaw({ chunkSize: SHORT })
  let chunks: Buffer[] = []
  let size = 0
  let settle = (_text: Buffer | undefined) => {}
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size > SHORT) stream.destroy()
  })
  // After an error the write's own callback is not called, and this follows.
  stream.on('error', () => {})
  stream.on('close', () => settle(undefined))
  return {
    inflate(deflated) {
      chunks = []
      size = 0
      stream.reset()
      const end = stream.bytesWritten + deflated.length
      return new Promise((resolve) => {
        settle = resolve
        stream.write(deflated, () => {
          resolve(stream.bytesWritten === end ? Buffer.concat(chunks) : undefined)
        })
      })
    },
    close: () => void stream.destroy(),
  }
}
