import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ONE_CORE } from '../../src/cluster/flags.ts'
import { ask } from './ask.ts'
import { CAN_PIN, type Core, onCore } from './cores.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const READY_MS = 60_000
/** What the kernel counts CPU time in, on every Linux that Node runs on (proc(5), `stat`). */
const TICKS_PER_SECOND = 100

/** A server in a process of its own. */
export interface Server extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Seconds of CPU used since its start by all of its threads; NaN where the system does not tell. */
  cpuSeconds(): number
  readonly running: boolean
  stop(): Promise<void>
}

export interface ServerOptions {
  /** Below the repository. */
  readonly file: string
  readonly env?: Readonly<Record<string, string>>
  readonly nodeArgs?: readonly string[]
  readonly core?: Core
}

/**
 * Starts a server that listens on `PORT`, without waiting for it; where it has one core, with the flags
 * for that. Its output goes to /dev/null, as
 * the reader of a pipe would be part of the measurement; only what it complains of is shown.
 */
export async function launch(options: ServerOptions): Promise<Server> {
  const { file, env = {}, nodeArgs = [], core = 'server' } = options
  const port = await freePort()
  const flags = core === 'server' && CAN_PIN ? [...ONE_CORE, ...nodeArgs] : nodeArgs
  const [command = '', ...args] = onCore(core, [process.execPath, ...flags, resolve(ROOT, file)])
  const child = spawn(command, args, {
    cwd: import.meta.dirname,
    env: { NODE_ENV: 'production', PATH: process.env.PATH, ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const pid = child.pid as number
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const running = () => child.exitCode === null && child.signalCode === null
  async function stop(): Promise<void> {
    process.off('exit', kill)
    if (!running()) return
    kill()
    await once(child, 'exit')
  }
  return {
    url: `http://127.0.0.1:${port}`,
    pid,
    cpuSeconds: () => cpuSecondsOf(pid),
    get running() {
      return running()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Starts a server and waits until it answers. */
export async function start(options: ServerOptions): Promise<Server> {
  const server = await launch(options)
  const giveUp = performance.now() + READY_MS
  for (;;) {
    // A server without this path is ready as soon as it says anything.
    const { status } = await ask(server.url, 'GET', '/health/ready')
    if (status !== 0 && status !== 503) return server
    if (!server.running || performance.now() > giveUp)
      throw new Error(`${options.file} does not answer`)
    await sleep(20)
  }
}

/** Below the range that the system gives to outgoing connections. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const probe = createServer()
    const free = await new Promise<boolean>((settle) => {
      probe.once('error', () => settle(false))
      probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => settle(true))
    })
    if (!free) continue
    probe.close()
    await once(probe, 'close')
    return port
  }
}

function cpuSecondsOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  } catch {
    return Number.NaN
  }
}
