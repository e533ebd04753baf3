import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createClient } from './support/app.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from './support/github/index.ts'
import { type Service, startProcess } from './support/process.ts'

const repo = { context_type: 'github_repo', params: { owner: 'octocat', repo: 'Hello-World' } }
const TAKES_LONG = 30_000

let github: GitHub
beforeEach(async () => {
  github = await startGitHub()
})
afterEach(() => github.close())

const start = (env: Record<string, string> = {}) =>
  startProcess({ env: { PORT: '0', GITHUB_API_URL: github.url, ...env } })

/** What it said before it gave up. */
async function refusal(service: Service): Promise<string[]> {
  expect((await service.exited).code).toBe(1)
  return service.stderr.trim().split('\n')
}

describe('start', () => {
  it('needs nothing but GitHub', async () => {
    await using service = start()
    const client = createClient(await service.url)
    expect((await client.context(repo)).context[0]?.title).toBe('octocat/Hello-World')
    expect(service.stdout).toMatch(/Not configured: GITHUB_TOKEN.*REDIS_URL.*API_KEYS/)
    await client.close()
  })

  it('gives one line on stderr for each bad value, and none of the values', async () => {
    await using service = start({
      PORT: 'hunter2',
      TRUST_PROXY: 'hunter2',
      GITHUB_TOKEN: 'hunter 2',
    })
    const lines = await refusal(service)
    expect(lines.map((line) => /^Configuration: (\w+): /.exec(line)?.[1]).sort()).toEqual([
      'GITHUB_TOKEN',
      'PORT',
      'TRUST_PROXY',
    ])
    expect(service.stderr + service.stdout).not.toMatch(/hunter|\n\s+at /)
  })

  it('reads .env from the working folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'process-'))
    await writeFile(join(folder, '.env'), `PORT=0\nGITHUB_API_URL=${github.url}\n`)
    await using service = startProcess({ cwd: folder })
    expect(await service.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    await rm(folder, { recursive: true })
  })

  it('refuses to serve other machines without authentication', async () => {
    await using service = start({ HOST: '0.0.0.0' })
    expect(await refusal(service)).toEqual([expect.stringContaining('AUTH=none')])
  })

  it('stops in one line where GitHub refuses the token', async () => {
    await using service = start({ GITHUB_TOKEN: 'ghp_wrongwrongwrong' })
    expect(await refusal(service)).toEqual([
      expect.stringMatching(/^Cannot start: GitHub refuses the credential.*GITHUB_TOKEN/),
    ])
    expect(service.stderr + service.stdout).not.toContain('wrongwrong')
  })

  it('goes on where GitHub cannot be reached, and says so', async () => {
    await github.close()
    await using service = start({ GITHUB_TOKEN: OCTOCAT_TOKEN })
    const client = createClient(await service.url)
    expect((await client.get('/health/ready')).status).toBe(200)
    const answer = await client.post(repo)
    expect([answer.status, answer.json()]).toMatchObject([502, { code: 'upstream_unreachable' }])
    expect(service.stdout).toContain('GitHub could not be asked at start')
    await client.close()
  })

  it('says in one line that the port is in use', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    await using service = start({ PORT: String(port) })
    const lines = await refusal(service)
    expect(lines).toEqual([expect.stringMatching(/^Cannot start: the port is in use .*Set PORT/)])
    await new Promise((resolve) => taken.close(resolve))
  })
})

describe('connections', () => {
  it('are taken by the system while the process is busy, and accepted afterwards', async () => {
    await using service = start()
    const { hostname, port } = new URL(await service.url)
    const bound = Number(await readFile('/proc/sys/net/core/somaxconn', 'utf8'))
    const count = Math.min(1_000, bound)
    service.signal('SIGSTOP')
    const sockets = Array.from({ length: count }, () => connect(Number(port), hostname))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    const answers = sockets.map((socket) => once(socket, 'data'))
    for (const socket of sockets)
      socket.write('GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n')
    service.signal('SIGCONT')
    for (const [chunk] of await Promise.all(answers))
      expect(String(chunk)).toMatch(/^HTTP\/1\.1 200 /)
    for (const socket of sockets) socket.destroy()
  })
})

interface Tally {
  served: number
  /** Failed although a connection was there. */
  failed: string[]
}

/** Callers that ask one request after another over kept connections, until nobody listens any more. */
async function steadily(url: string, callers: number, agent: Agent, onServed: () => void) {
  const tally: Tally = { served: 0, failed: [] }
  const call = async () => {
    for (;;) {
      try {
        const answer = await request(
          `${url}/mcp/context/github_repo?owner=octocat&repo=Hello-World`,
          {
            dispatcher: agent,
          },
        )
        await answer.body.dump()
        if (answer.statusCode === 200) tally.served++
        else tally.failed.push(`status ${answer.statusCode}`)
        onServed()
      } catch (error) {
        const { code = String(error) } = error as { code?: string }
        if (code === 'ECONNREFUSED') return
        tally.failed.push(code)
      }
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  return tally
}

describe('stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s every request is answered that found somebody listening',
    async (signal) => {
      const limits = { RATE_LIMIT_MAX: '10000000', LOG_LEVEL: 'info' }
      const env = { NODE_ENV: 'production', PORT: '0', GITHUB_API_URL: github.url, ...limits }
      await using service = startProcess({ env, byNpm: true })
      const url = await service.url
      // Each caller its own connection, kept from request to request.
      const agent = new Agent({ connections: 8, pipelining: 1, allowH2: false })
      let signalledAt = 0
      let afterSignal = 0
      let served = 0
      const tally = await steadily(url, 8, agent, () => {
        served++
        if (signalledAt > 0) afterSignal++
        if (served === 200) {
          signalledAt = performance.now()
          service.signal(signal)
        }
      })
      expect((await service.exited).code).toBe(0)
      expect(performance.now() - signalledAt).toBeLessThan(10_000)
      expect(tally.failed).toEqual([])
      expect(tally.served).toBeGreaterThan(200)
      expect(afterSignal).toBeGreaterThan(0)
      expect(service.stdout).toContain(`closing on ${signal}`)
      await agent.destroy()
    },
    TAKES_LONG,
  )

  it('waits for a request that is under way', async () => {
    const held = github.fault({ match: '/repos/*', kind: 'delay', ms: 1_500 })
    await using service = start()
    const client = createClient(await service.url)
    const answer = client.post(repo)
    await expect.poll(() => held.hits).toBe(1)
    service.signal('SIGTERM')
    expect((await answer).status).toBe(200)
    expect((await service.exited).code).toBe(0)
    await client.close()
  })

  it(
    'does not wait for one that never ends',
    async () => {
      const held = github.fault({ match: '/repos/*', kind: 'hang' })
      await using service = start({ GITHUB_TIMEOUT_MS: '60000' })
      const client = createClient(await service.url)
      const answer = client.post(repo).then(
        ({ status }) => status,
        () => 'cut off',
      )
      await expect.poll(() => held.hits).toBe(1)
      const startedAt = performance.now()
      service.signal('SIGTERM')
      expect((await service.exited).code).toBe(0)
      expect(performance.now() - startedAt).toBeLessThan(10_000)
      expect(await answer).toBe('cut off')
      await client.close()
    },
    TAKES_LONG,
  )

  it('says that it drains while it still listens, then tells whoever keeps a connection to leave', async () => {
    await using service = start()
    const client = createClient(await service.url)
    expect((await client.get('/health/ready')).status).toBe(200)
    service.signal('SIGTERM')
    let answer = await client.get('/health/ready')
    while (answer.status === 200) answer = await client.get('/health/ready')
    expect([answer.status, answer.json()]).toMatchObject([503, { status: 'draining' }])
    expect(answer.headers.connection).toBe('keep-alive')
    while (answer.headers.connection !== 'close') answer = await client.get('/health/ready')
    expect(answer.status).toBe(503)
    expect((await service.exited).code).toBe(0)
    await client.close()
  })
})
