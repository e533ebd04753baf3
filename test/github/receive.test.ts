import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Dispatcher, Pool } from 'undici'
import { describe, expect, it } from 'vitest'
import type { Head } from '../../src/github/exchange.ts'
import { receive } from '../../src/github/receive.ts'

/** One connection to a server that answers so. */
async function start(answer: RequestListener) {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1 })
  const heads: Head[] = []
  const ask = (signal = new AbortController().signal, dispatcher: Dispatcher = pool) =>
    receive(dispatcher, {
      method: 'GET',
      path: '/',
      signal,
      onHead: (head) => void heads.push(head),
    })
  return {
    server,
    pool,
    heads,
    ask,
    async [Symbol.asyncDispose]() {
      await pool.destroy()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

describe('an answer', () => {
  it('is told of by its head, then comes whole', async () => {
    let end = () => {}
    await using github = await start((_request, response) => {
      response.writeHead(200, { etag: '"1"' }).write('in ')
      end = () => response.end('parts')
    })
    const received = github.ask()
    await expect.poll(() => github.heads).toMatchObject([{ status: 200, headers: { etag: '"1"' } }])
    end()
    expect((await received).bytes.toString()).toBe('in parts')
  })

  it('may have no body, and others before it that are none', async () => {
    await using github = await start((_request, response) => {
      response.writeProcessing()
      response.writeEarlyHints({ link: '</x>; rel=preload' })
      response.writeHead(204).end()
    })
    const { bytes, status } = await github.ask()
    expect([status, bytes.length, github.heads.length]).toEqual([204, 0, 1])
  })

  it('that breaks off is none', async () => {
    await using github = await start((_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy())
    })
    await expect(github.ask()).rejects.toThrow('other side closed')
    await github.pool.close()
    await expect(github.ask()).rejects.toThrow('destroyed')
  })

  it('is waited for until the caller leaves, whether it has begun or not', async () => {
    const asked: string[] = []
    const closed: Promise<unknown>[] = []
    await using github = await start((request, response) => {
      asked.push(request.method ?? '')
      closed.push(once(response, 'close'))
      response.writeHead(200).write('half')
    })
    const [begun, waits] = [new AbortController(), new AbortController()]
    const first = expect(github.ask(begun.signal)).rejects.toThrow('hung up')
    await expect.poll(() => github.heads.length).toBe(1)
    const second = expect(github.ask(waits.signal)).rejects.toThrow('gone')
    waits.abort(new Error('gone'))
    await second
    begun.abort(new Error('hung up'))
    await first
    await Promise.all(closed)
    await expect(github.ask(AbortSignal.abort(new Error('late')))).rejects.toThrow('late')
    expect(asked).toHaveLength(1)
  })

  it('leaves nothing behind that outlives the next collections of the young', async () => {
    setFlagsFromString('--expose-gc')
    const collect: typeof gc = runInNewContext('gc')
    const headers = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`x-${at}`, `${at}`]))
    await using github = await start((_request, response) => {
      response.writeHead(200, headers).end('{}')
    })
    const ask = async (times: number) => {
      for (let at = 0; at < times; at += 1) await github.ask()
    }
    await ask(100)
    collect?.()
    const before = process.memoryUsage().heapUsed
    await ask(300)
    // Twice: what outlives the first is looked at once more. A stream for each would leave eleven kilobytes.
    for (let round = 0; round < 2; round += 1) collect?.({ type: 'minor' })
    const left = process.memoryUsage().heapUsed - before
    expect(left / 300).toBeLessThan(7_000)
  })
})
