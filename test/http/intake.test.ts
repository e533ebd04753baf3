import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createIntake } from '../../src/http/intake.ts'
import { type App, startApp } from '../support/app.ts'
import { OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function start(state = { shared: true, draining: false, begun: 0 }) {
  const clock = { at: 0, idle: 0 }
  const intake = createIntake({
    isShared: () => state.shared,
    isDraining: () => state.draining,
    begun: () => state.begun,
    now: () => clock.at,
    idle: () => clock.idle,
  })
  const read: string[] = []
  /** A connection that tells when it is read again. */
  function rest(caller: string, name: string): Socket {
    const socket = new Socket()
    intake.rest(caller, socket)
    socket.resume = () => {
      read.push(name)
      return socket
    }
    return socket
  }
  /** Lets so many milliseconds pass, of which the loop has nothing to do in `idle`. */
  async function pass(milliseconds: number, idle = 0): Promise<void> {
    clock.at += milliseconds
    clock.idle += idle
    vi.advanceTimersByTime(milliseconds)
    await turn()
  }
  return { clock, intake, pass, read, rest, state }
}

describe('connections', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('rest where a turn has read eight of the caller’s and others are there', async () => {
    const { intake, state } = start()
    const came = (caller: string) => Array.from({ length: 10 }, () => intake.came(caller))
    expect(came('ann').slice(7)).toEqual([false, true, true])
    expect(intake.came('bob')).toBe(false)
    await turn()
    expect(intake.came('ann')).toBe(false)
    await turn()
    state.shared = false
    expect(came('ann')).not.toContain(true)
  })

  it('are read again by eights, callers one after the other', async () => {
    const { read, intake, rest } = start()
    const names = Array.from({ length: 14 }, (_, at) => `a${at}`)
    for (const name of names) rest('ann', name)
    for (const name of ['b0', 'b1']) expect(rest('bob', name).isPaused()).toBe(true)
    expect(intake.waiting).toBe(16)
    // Who has some that wait has no others read before them.
    expect([intake.came('ann'), intake.came('cleo')]).toEqual([true, false])
    await turn()
    expect(read).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'a3', 'a4', 'a5'])
    await turn()
    expect(read.slice(8)).toEqual(names.slice(6))
    expect(intake.waiting).toBe(0)
  })

  it('are all read where nobody else is there any more, and where the process ends', async () => {
    for (const end of [{ shared: false }, { draining: true }]) {
      const { read, intake, rest, state } = start()
      for (let at = 0; at < 20; at += 1) rest('ann', `a${at}`)
      Object.assign(state, end)
      await turn()
      expect(read).toHaveLength(20)
      for (let at = 0; at < 20; at += 1) expect(intake.came('ann')).toBe(false)
    }
  })

  describe('of who has sixteen requests begun', () => {
    function startFull() {
      const started = start({ shared: true, draining: false, begun: 16 })
      for (let at = 0; at < 20; at += 1) started.rest('ann', `a${at}`)
      return started
    }

    it('rest as soon as they are answered', async () => {
      const { intake, state } = start()
      state.begun = 15
      expect(intake.came('ann')).toBe(false)
      state.begun = 16
      expect(intake.came('ann')).toBe(true)
      state.shared = false
      expect(intake.came('ann')).toBe(false)
    })

    it('are read again when less is begun', async () => {
      const { pass, read, state } = startFull()
      await pass(2)
      await pass(2)
      expect(read).toEqual([])
      state.begun = 15
      await pass(2)
      expect(read).toHaveLength(8)
    })

    it('are read one after the other while the process has time to spare', async () => {
      const { pass, read } = startFull()
      await pass(2, 1.7)
      expect(read).toHaveLength(0)
      for (let done = 0; done < 20; done += 1) {
        await pass(2, 1.9)
        // One that was read is followed by a turn of its own.
        await turn()
      }
      expect(read).toHaveLength(20)
    })

    it('cost nothing while none may be read', async () => {
      const { pass } = startFull()
      const timers = vi.spyOn(globalThis, 'setImmediate')
      await pass(2)
      timers.mockClear()
      await pass(1)
      // That of the test.
      expect(timers).toHaveBeenCalledTimes(1)
    })

    it('are read every five milliseconds at least', async () => {
      const { pass, read } = startFull()
      for (let done = 0; done < 60; done += 1) {
        await pass(1)
        await turn()
      }
      // It is looked every two milliseconds.
      expect(read.length).toBeGreaterThanOrEqual(8)
      expect(read.length).toBeLessThanOrEqual(12)
    })

    it('do not keep others from being read', async () => {
      const clock = { at: 0 }
      const intake = createIntake({
        isShared: () => true,
        isDraining: () => false,
        begun: (caller) => (caller === 'ann' ? 16 : 0),
        now: () => clock.at,
        idle: () => 0,
      })
      const read: string[] = []
      for (const name of ['ann', 'ann', 'bob', 'bob']) {
        const socket = new Socket()
        intake.rest(name, socket)
        socket.resume = () => {
          read.push(name)
          return socket
        }
      }
      clock.at += 1
      await turn()
      expect(read).toEqual(['bob', 'bob'])
    })

    it('do not wait for the loop', async () => {
      const clock = { at: 0 }
      let begun = 15
      const intake = createIntake({
        isShared: () => true,
        isDraining: () => false,
        begun: () => begun,
        now: () => clock.at,
        idle: () => 0,
      })
      for (let at = 0; at < 200; at += 1) {
        const socket = new Socket()
        intake.rest('ann', socket)
        socket.resume = () => {
          begun = 16
          return socket
        }
      }
      // One is answered in each turn, of five milliseconds.
      for (let done = 0; done < 100; done += 1) {
        begun = 15
        clock.at += 5
        vi.advanceTimersByTime(5)
        await turn()
      }
      expect(intake.waiting).toBe(100)
      expect(intake.delayOf('ann')).toBeLessThan(20)
    })

    it('are read as ever where more than 512 of them rest', async () => {
      const { clock, intake, read, rest } = startFull()
      for (let at = 20; at < 520; at += 1) rest('ann', `a${at}`)
      expect(intake.waiting).toBe(520)
      clock.at += 1
      await turn()
      expect(read).toHaveLength(8)
      clock.at += 1
      await turn()
      expect(read).toHaveLength(8)
    })
  })

  it('that are gone do not rest', () => {
    const { intake } = start()
    const socket = new Socket()
    socket.destroy()
    intake.rest('ann', socket)
    expect(intake.waiting).toBe(0)
  })

  it('tell how long one more would wait', async () => {
    const { clock, intake, rest } = start()
    for (let at = 0; at < 1_000; at += 1) rest('ann', `a${at}`)
    for (let done = 0; done < 100; done += 1) {
      clock.at += 2
      await turn()
    }
    // 200 wait, each for a quarter of a millisecond.
    expect(intake.delayOf('ann')).toBeGreaterThan(45)
    expect(intake.delayOf('ann')).toBeLessThan(55)
    expect(intake.delayOf('bob')).toBeLessThan(1)
  })
})

describe('beside who asks without end over hundreds of connections', () => {
  const CONNECTIONS = 200
  /** Refused, at little cost. */
  const request = (key: string) =>
    `GET /mcp/context/none HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\n\r\n`
  const [ANN, BOB, CLEO] = [
    'ann-key-0123456789',
    'bob-key-0123456789',
    'cleo-key-0123456789',
  ] as const
  const KEYS = { API_KEYS: `ann:${ANN},bob:${BOB},cleo:${CLEO}`, RATE_LIMIT_MAX: '1000000' }
  const issue = (number: number) =>
    `GET /mcp/context/github_issue?owner=octocat&repo=Hello-World&issue_number=${number} HTTP/1.1\r\nhost: x\r\nx-api-key: ${ANN}\r\n\r\n`

  async function open({ url }: App): Promise<Socket> {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    return socket
  }

  async function gauge(app: App, name: string): Promise<number> {
    const { text } = await app.get('/metrics')
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.slice(name.length),
    )
  }

  it('some of these wait to be read as soon as somebody else asks, and none is forgotten', async () => {
    await using github = await startGitHub()
    await using app = await startApp({ github, env: { ...KEYS, GITHUB_TOKEN: OCTOCAT_TOKEN } })
    const flood = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(app)))
    const answers = flood.map(() => 0)
    flood.forEach((socket, at) => {
      socket.on('data', (chunk: Buffer) => {
        if (!chunk.includes('HTTP/1.1 400')) return
        answers[at] = (answers[at] ?? 0) + 1
        socket.write(request(ANN))
      })
      socket.write(request(ANN))
    })
    const waiting = () => gauge(app, 'work_waiting{for="door"}')
    expect(await waiting()).toBe(0)
    const little = await open(app)
    little.on('data', () => little.write(request(BOB)))
    little.write(request(BOB))
    await expect.poll(waiting, { timeout: 10_000, interval: 1 }).toBeGreaterThan(CONNECTIONS / 4)
    const before = [...answers]
    const least = () => Math.min(...answers.map((count, at) => count - (before[at] ?? 0)))
    await expect.poll(least, { timeout: 10_000 }).toBeGreaterThan(10)
    little.destroy()
    // Once nobody else is there, no more than before.
    await expect.poll(waiting, { timeout: 10_000 }).toBe(0)
    for (const socket of flood) socket.destroy()
  })

  it('all are read where GitHub does not answer, and who is quick to answer is answered', async () => {
    await using github = await startGitHub()
    const limits = { GITHUB_BUDGET: 'off', GITHUB_CONNECTIONS: '100' }
    const env = { ...KEYS, ...limits, GITHUB_TOKEN: OCTOCAT_TOKEN }
    await using app = await startApp({ github, env })
    const hang = github.fault({ kind: 'hang', match: /\/issues\// })
    // Two, so that callers change also while the third has nothing that is read.
    const others = await Promise.all(
      [BOB, CLEO].map(async (key) => ({ key, socket: await open(app) })),
    )
    for (const { key, socket } of others) {
      socket.on('data', () => socket.write(request(key)))
      socket.write(request(key))
    }
    const inWork = () => gauge(app, 'requests_in_work')
    const slow = await Promise.all(Array.from({ length: 60 }, () => open(app)))
    // Who has had no answer yet is always read.
    for (const [at, socket] of slow.slice(0, 20).entries()) socket.write(issue(1_000 + at))
    await expect.poll(inWork, { timeout: 10_000, interval: 1 }).toBeGreaterThanOrEqual(20)
    let answered = 0
    for (const [at, socket] of slow.slice(20).entries()) {
      socket.once('data', () => {
        answered += 1
        socket.write(issue(2_000 + at))
      })
      socket.write(request(ANN))
    }
    await expect.poll(() => answered, { timeout: 10_000 }).toBe(40)
    await expect.poll(inWork, { timeout: 10_000, interval: 1 }).toBeGreaterThanOrEqual(60)
    expect(hang.hits).toBeGreaterThan(0)
    const quick = await open(app)
    quick.write(request(ANN))
    expect(String((await once(quick, 'data'))[0])).toContain('HTTP/1.1 400')
    for (const socket of [...slow, quick, ...others.map((other) => other.socket)]) socket.destroy()
  })
})
