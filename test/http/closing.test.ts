import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import { type GitHub, startGitHub } from '../support/github/index.ts'

const BODY = 1024 * 1024

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  app = await startApp({ github })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const post = (length: number) =>
  `POST /mcp/context HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`

/** A caller who sends all of a body before it reads, however large it is. */
function open() {
  const socket = connect({
    port: Number(new URL(app.url).port),
    host: '127.0.0.1',
    allowHalfOpen: true,
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const line = { socket, closed, text: '', error: undefined as Error | undefined }
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => {
    line.text += chunk
  })
  socket.on('error', (error) => {
    line.error = error
  })
  return line
}

async function sendAll(socket: Socket, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(65_536, 'x')
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    if (!socket.write(chunk)) await once(socket, 'drain')
  }
}

describe('a connection that ends with its answer', () => {
  it.each([
    ['a body that is too large', post(8 * BODY), 8 * BODY, /^HTTP\/1\.1 413 /],
    ['what is no HTTP', 'GARBAGE\r\n\r\n', BODY, /^HTTP\/1\.1 400 /],
  ])(
    'takes what still comes of %s, so that the answer is not lost',
    async (_, head, rest, status) => {
      const line = open()
      line.socket.write(head)
      // All of the answer, and that nothing follows.
      await once(line.socket, 'end')
      expect(line.text).toMatch(status)
      expect(JSON.parse(line.text.split('\r\n\r\n')[1] ?? '')).toHaveProperty('detail')
      await sendAll(line.socket, rest)
      line.socket.end()
      await line.closed
      expect(line.error).toBeUndefined()
    },
  )

  it('is closed all the same when the caller does not', async () => {
    const { closed, socket } = open()
    socket.write(post(BODY))
    await once(socket, 'end')
    const since = performance.now()
    // Whether it is there still is found by sending.
    const drip = setInterval(() => socket.write('x'), 20)
    await closed
    clearInterval(drip)
    const took = performance.now() - since
    expect(took).toBeGreaterThan(1_000)
    expect(took).toBeLessThan(10_000)
  })

  it('brings no request any more', async () => {
    const { closed, socket } = open()
    socket.write(post(BODY).replace('Connection: close\r\n', ''))
    await once(socket, 'end')
    await sendAll(socket, BODY)
    socket.end('GET /mcp/context/github_repo?owner=late&repo=late HTTP/1.1\r\nHost: a\r\n\r\n')
    await closed
    await app.get('/mcp/context/github_repo?owner=known&repo=known')
    const asked = github.requests.map(({ path }) => path)
    expect(asked).toContain('/repos/known/known')
    expect(asked).not.toContain('/repos/late/late')
  })
})
