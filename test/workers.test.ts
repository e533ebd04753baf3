import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { flagsFor, ONE_CORE } from '../src/cluster/flags.ts'
import { type Client, createClient } from './support/app.ts'
import { addRepository, type GitHub, startGitHub } from './support/github/index.ts'
import { type Service, startProcess } from './support/process.ts'

const repo = { context_type: 'github_repo', params: { owner: 'octo', repo: 'talk' } }

let github: GitHub
beforeEach(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
})
afterEach(() => github.close())

const start = (env: Record<string, string> = {}) =>
  startProcess({
    env: {
      NODE_ENV: 'production',
      WORKERS: '3',
      PORT: '0',
      GITHUB_API_URL: github.url,
      RATE_LIMIT_MAX: '1000000',
      ...env,
    },
  })

async function workersOf({ pid }: Service): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.trim().split(' ').filter(Boolean).map(Number)
}

/** Asks again and again over kept connections until it is stopped. */
function steadyLoad(client: Client) {
  const failures: unknown[] = []
  let answered = 0
  let running = true
  const ask = async () => {
    while (running) {
      try {
        const { status } = await client.post(repo)
        if (status === 200) answered += 1
        else failures.push(status)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  const asking = Promise.all(Array.from({ length: 3 }, ask))
  return {
    failures,
    answered: () => answered,
    async stop() {
      running = false
      await asking
    },
  }
}

const untilAll = async (service: Service) => {
  const url = await service.url
  await vi.waitFor(() => expect(service.stdout.match(/listens on/g)).toHaveLength(3), {
    timeout: 60_000,
    interval: 50,
  })
  return url
}

describe('WORKERS', () => {
  it('tells workers that leave no core to threads beside them to collect garbage by themselves', async () => {
    const several = String(availableParallelism() + 1)
    await using service = start({ WORKERS: several })
    await service.url
    const [worker] = await workersOf(service)
    const command = await readFile(`/proc/${worker}/cmdline`, 'utf8')
    expect(command.split('\0')).toEqual(expect.arrayContaining([...ONE_CORE]))
    expect(flagsFor(2, 2)).toEqual(ONE_CORE)
    expect(flagsFor(2, 4)).toEqual([])
  })

  it('replaces a worker that is killed: it takes only what it was at along', async () => {
    await using service = start()
    const client = createClient(await untilAll(service))
    const load = steadyLoad(client)
    const before = await workersOf(service)
    expect(before).toHaveLength(3)
    await vi.waitFor(() => expect(load.answered()).toBeGreaterThan(50), { timeout: 30_000 })
    process.kill(before[0] ?? 0, 'SIGKILL')
    await vi.waitFor(() => expect(service.stdout.match(/listens on/g)?.length).toBe(4), {
      timeout: 60_000,
      interval: 50,
    })
    const reached = load.answered()
    await vi.waitFor(() => expect(load.answered()).toBeGreaterThan(reached + 50), {
      timeout: 30_000,
    })
    await load.stop()
    const after = await workersOf(service)
    expect(after.filter((pid) => before.includes(pid))).toHaveLength(2)
    expect(after).toHaveLength(3)
    // At most what the killed one was at.
    expect(load.failures.length).toBeLessThanOrEqual(3)
    await client.close()
  })

  it('replaces all on SIGHUP without failing a request', async () => {
    await using service = start()
    const client = createClient(await untilAll(service))
    const before = await workersOf(service)
    const load = steadyLoad(client)
    service.signal('SIGHUP')
    await vi.waitFor(() => expect(service.stdout).toContain('all workers are new'), {
      timeout: 90_000,
      interval: 50,
    })
    await load.stop()
    expect(load.failures).toEqual([])
    expect(load.answered()).toBeGreaterThan(0)
    const after = await workersOf(service)
    expect(after).toHaveLength(3)
    expect(after.filter((pid) => before.includes(pid))).toEqual([])
    await client.close()
  })

  it('tells the metrics of all workers, whichever is asked', async () => {
    await using service = start()
    const url = await untilAll(service)
    for (let i = 0; i < 12; i += 1) {
      const client = createClient(url)
      expect((await client.post(repo)).status).toBe(200)
      await client.close()
    }
    const client = createClient(url)
    const { text } = await client.get('/metrics')
    const counts = [
      ...text.matchAll(/^http_request_duration_seconds_count\{.*type="github_repo".*\} (\d+)$/gm),
    ]
    expect(counts.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(12)
    await client.close()
  })

  it('ends with all workers on SIGTERM', async () => {
    await using service = start()
    await untilAll(service)
    const workers = await workersOf(service)
    service.signal('SIGTERM')
    expect(await service.exited).toEqual({ code: 0, signal: null })
    for (const pid of workers) expect(() => process.kill(pid, 0)).toThrow()
  })

  it('says once why it cannot start', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await vi.waitFor(() => expect(taken.listening).toBe(true))
    const { port } = taken.address() as { port: number }
    await using service = start({ PORT: String(port) })
    expect(await service.exited).toEqual({ code: 1, signal: null })
    expect(service.stderr.match(/the port is in use/g)).toHaveLength(1)
    taken.close()
  })
})
