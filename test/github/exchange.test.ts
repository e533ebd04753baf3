import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { exchange, unpack } from '../../src/github/exchange.ts'
import { createUpstream } from '../../src/github/upstream.ts'

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

  it('is not unpacked beyond what GitHub ever sends, whatever it tells', async () => {
    const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024, ' '))
    const failure = { code: 'ERR_BUFFER_TOO_LARGE' }
    await expect(read(bomb)).rejects.toMatchObject(failure)
    await expect(read(telling(16, bomb))).rejects.toMatchObject(failure)
  })
})
