import { connect, type Socket } from 'node:net'
import Fastify from 'fastify'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createExchange } from '../../src/http/mcp/exchange.ts'
import { type App, startApp } from '../support/app.ts'
import { addIssue, addRepository, type GitHub, startGitHub } from '../support/github/index.ts'

const LIMITS = {
  maxConnections: 20,
  headersTimeout: 500,
  requestTimeout: 1_000,
  keepAliveTimeout: 1_000,
  readTimeout: 1_000,
}
const LARGE = 200_000

let github: GitHub
let app: App
const sockets: Socket[] = []
beforeEach(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  const body = 'word '.repeat(LARGE / 5)
  addIssue(github.world, 'octo/talk', { number: 1, title: 'Long', body })
  app = await startApp({
    github,
    env: { RATE_LIMIT_MAX: '100000' },
    replace: { connections: LIMITS },
  })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await app.close()
  await github.close()
})

interface Line {
  readonly socket: Socket
  readonly closed: Promise<void>
  text: string
}

function open(url = app.url): Line {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  sockets.push(socket)
  const line: Line = {
    socket,
    text: '',
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
  }
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    line.text += chunk.toString('latin1')
  })
  return line
}

/** Sends a byte now and then for as long as it may. */
function drip({ socket, closed }: Line, text: string): void {
  let at = 0
  const timer = setInterval(
    () => socket.writable && socket.write(text[at++ % text.length] ?? ''),
    50,
  )
  void closed.then(() => clearInterval(timer))
}

/** Of both sides. */
const openSockets = () =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

describe('who is slow to ask', () => {
  it('by its headers is cut off, and others are served meanwhile', async () => {
    const lines = Array.from({ length: 10 }, () => open())
    for (const line of lines) {
      line.socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n')
      drip(line, 'x-slow: a\r\n')
    }
    expect((await app.get('/health')).status).toBe(200)
    await Promise.all(lines.map(({ closed }) => closed))
    expect(lines[0]?.text).toContain('HTTP/1.1 408 Request Timeout')
    expect(lines[0]?.text).toContain('x-content-type-options: nosniff')
    expect(lines[0]?.text).toContain('"code":"invalid_request"')
  })

  it('by its body is cut off', async () => {
    const line = open()
    line.socket.write(
      'POST /mcp/context HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{',
    )
    drip(line, ' ')
    await line.closed
  })

  it('and says nothing at all is cut off', async () => {
    const line = open()
    await line.closed
  })

  it('and keeps a connection without using it is cut off', async () => {
    const line = open()
    line.socket.write('GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await vi.waitFor(() => expect(line.text).toContain('200 OK'))
    await line.closed
  })
})

describe('what is no request', () => {
  it.each([
    ['another protocol', 'EHLO localhost\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nx-much: ${'x'.repeat(40_000)}`, 431],
    ['an address that is badly encoded', 'GET /%E0%A4%A HTTP/1.1\r\nhost: a\r\n\r\n', 400],
  ])('is answered by a problem: %s', async (_what, text, status) => {
    const line = open()
    line.socket.write(text)
    await vi.waitFor(() => expect(line.text).toContain(`HTTP/1.1 ${status} `))
    await vi.waitFor(() => expect(line.text).toContain('"code":"invalid_request"'))
    expect(line.text).toMatch(/content-type: application\/problem\+json/i)
    expect(line.text).toContain('x-content-type-options: nosniff')
    expect(line.text).toContain(`"status":${status}`)
    expect(line.text).not.toContain('FST_')
  })
})

describe('connections', () => {
  it('are bounded: those that are too many are closed as soon as they come', async () => {
    const hello = 'GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n'
    const lines = Array.from({ length: 30 }, () => open())
    for (const { socket } of lines) socket.write(hello)
    const outcomes = await Promise.all(
      lines.map(async (line) => {
        const answered = new Promise((resolve) =>
          line.socket.once('data', () => resolve('answered')),
        )
        return Promise.race([answered, line.closed.then(() => 'closed')])
      }),
    )
    expect(outcomes.filter((outcome) => outcome === 'answered')).toHaveLength(20)
    for (const { socket } of lines) socket.destroy()
    await vi.waitFor(async () => expect((await app.get('/health')).status).toBe(200))
  })
})

describe('who is slow to read', () => {
  const asking =
    'GET /mcp/context/github_issue?owner=octo&repo=talk&issue_number=1 HTTP/1.1\r\nhost: localhost\r\n'

  it.each([
    ['answers', ''],
    ['streams', 'accept: text/event-stream\r\n'],
  ])('is cut off, and its %s are not kept', async (_what, header) => {
    const line = open()
    line.socket.write(`${asking}\r\n`)
    await vi.waitFor(() => expect(line.text.length).toBeGreaterThan(LARGE))
    line.socket.pause()
    const [both, memory] = [openSockets(), process.memoryUsage().arrayBuffers]
    // More than the kernel takes for somebody who does not read.
    const count = 200
    line.socket.write(`${asking}${header}\r\n`.repeat(count))
    await vi.waitFor(() => expect(openSockets()).toBe(both - 1), { timeout: 20_000 })
    expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(64 * 1024 * 1024)
    line.socket.resume()
    await line.closed
    const answers = line.text.split('HTTP/1.1 200 OK').length - 1
    expect(answers).toBeGreaterThan(0)
    expect(answers).toBeLessThan(count)
  })

  it('of a stream of MCP has no more than a bound kept for it', async () => {
    const small = Fastify()
    let sent = 0
    let cut: Promise<void> | undefined
    small.get('/', (request, reply) => {
      const { send } = createExchange(request, reply, { keepAlive: 60_000 })
      cut = new Promise((resolve) => reply.raw.once('close', () => resolve()))
      const message = { text: 'x'.repeat(100_000) }
      const more = () => {
        if (reply.raw.destroyed) return
        send?.(message)
        sent += 1
        setImmediate(more)
      }
      more()
      return reply
    })
    const url = await small.listen({ host: '127.0.0.1', port: 0 })
    const line = open(url)
    line.socket.pause()
    line.socket.write('GET / HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n')
    await vi.waitFor(() => expect(cut).toBeDefined())
    await cut
    // What the kernel takes, and the bound.
    expect(sent * 100_000).toBeLessThan(100 * 1024 * 1024)
    await small.close()
  })
})
