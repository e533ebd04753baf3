import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { exchange, unpack } from '../../src/github/exchange.ts'
import { inflate } from '../../src/github/inflate.ts'
import { createUpstream } from '../../src/github/upstream.ts'

const MIB = 1024 * 1024

/** What is read of a zipped answer. */
async function read(zipped: Buffer): Promise<Buffer> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(zipped)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const upstream = createUpstream({
    apiUrl: `http://127.0.0.1:${port}`,
    connections: 1,
    timeoutMs: 10_000,
  })
  try {
    const { signal } = new AbortController()
    const answer = await exchange(upstream, { method: 'GET', path: '/', headers: {}, signal })
    const { body } = await unpack(answer)
    return body
  } finally {
    await upstream.close()
    server.close()
    await once(server, 'close')
  }
}

/** Tells another length than it has. */
function telling(length: number, zipped: Buffer): Buffer {
  const lying = Buffer.from(zipped)
  lying.writeUInt32LE(length, lying.length - 4)
  return lying
}

/** The same with a name in its head (RFC 1952, section 2.3.1). */
function named(zipped: Buffer): Buffer {
  const head = Buffer.from(zipped.subarray(0, 10))
  head.writeUInt8(8, 3)
  return Buffer.concat([head, Buffer.from('name\0'), zipped.subarray(10)])
}

/** By zlib itself; undefined where it fails. */
function unzipped(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes)
  } catch {
    return undefined
  }
}

/** The same with more between the text and its check sum. */
const spliced = (zipped: Buffer) =>
  Buffer.concat([zipped.subarray(0, -8), Buffer.from('more'), zipped.subarray(-8)])

const text = (length: number) => Buffer.from('0123456789abcdef'.repeat(length / 16))

describe('a zipped answer', () => {
  it.each([0, 16, 20_000, 262_144, 262_160, 3_000_000])(
    'of %i bytes is read whole',
    async (length) => {
      expect((await read(gzipSync(text(length)))).equals(text(length))).toBe(true)
    },
  )

  it('in several parts is read whole, though only the last one’s length is told', async () => {
    const parts = [text(400_000), text(16)]
    const whole = await read(Buffer.concat(parts.map((part) => gzipSync(part))))
    expect(whole.equals(Buffer.concat(parts))).toBe(true)
  })

  it.each([16, 300_000, 0xffff_ffff])(
    'that tells %i bytes and has others is refused',
    async (told) => {
      await expect(read(telling(told, gzipSync(text(20_000))))).rejects.toThrow('length check')
    },
  )

  it('is read whole whatever was read before it, and however many are at once', async () => {
    const good = gzipSync(text(20_000))
    const spoilt = (at: number) => {
      const bytes = Buffer.from(good)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at)
      return bytes
    }
    const others: [string, Buffer][] = [
      ['another check sum', spoilt(good.length - 8)],
      ['no deflated text', spoilt(12)],
      ['cut off', good.subarray(0, good.length / 2)],
      ['only the ends', Buffer.concat([good.subarray(0, 10), good.subarray(-8)])],
      ['a zip bomb that tells little', telling(16, gzipSync(text(3_000_000)))],
      ['what belongs to nothing', spliced(good)],
      ['a name in its head', named(good)],
      ['what follows its end', Buffer.concat([good, good.subarray(-8)])],
      ['zeros behind it', Buffer.concat([good, Buffer.alloc(20)])],
    ]
    for (const [what, bytes] of others) {
      const answers = await Promise.allSettled([good, bytes, good, bytes, good].map(inflate))
      const texts = answers.map((one) => (one.status === 'fulfilled' ? one.value : undefined))
      const [first, second, third, fourth, fifth] = texts
      expect([first, third, fifth], what).toEqual([text(20_000), text(20_000), text(20_000)])
      expect([second, fourth], what).toEqual([unzipped(bytes), unzipped(bytes)])
    }
    const many = Array.from({ length: 100 }, (_, at) => text(16 * (at + 1)))
    const read = await Promise.all(many.map((one) => inflate(gzipSync(one))))
    expect(read.every((one, at) => one.equals(many[at] as Buffer))).toBe(true)
  })

  it('is not unpacked beyond what GitHub ever sends, whatever it tells', async () => {
    const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024, ' '))
    const failure = { code: 'ERR_BUFFER_TOO_LARGE' }
    await expect(read(bomb)).rejects.toMatchObject(failure)
    await expect(read(telling(16, bomb))).rejects.toMatchObject(failure)
  })

  it('takes no more memory than that while it is unpacked', async () => {
    const bomb = telling(16, gzipSync(Buffer.alloc(200 * MIB, ' ')))
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }, 1)
    try {
      await expect(inflate(bomb)).rejects.toMatchObject({ code: 'ERR_BUFFER_TOO_LARGE' })
    } finally {
      clearInterval(watch)
    }
    expect(most).toBeLessThan(100 * MIB)
  })
})
