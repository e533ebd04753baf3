import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'

const HOST = '127.0.0.1'
const READY_MS = 10_000
const CLUSTER_MS = 30_000
const RETRY_MS = 10
const PORT_TRIES = 10
const SETPRIV = '/usr/bin/setpriv'
/** Where the system can, it ends with the test process, even if that is killed (prctl(2), PR_SET_PDEATHSIG). */
const COMMAND: readonly [string, ...string[]] = existsSync(SETPRIV)
  ? [SETPRIV, '--pdeathsig', 'KILL', 'redis-server']
  : ['redis-server']

export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Of the process that runs now; another one after `restart`. */
  readonly pid: number
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** SIGKILL: connections break and new ones are refused. */
  kill(): Promise<void>
  /** On the same port and folder. What survives is what `args` made it keep. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** A Redis of the test's own, to break. It keeps nothing on disk unless `args` say so. */
export async function startRedis({ args = [] }: { args?: readonly string[] } = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'redis-'))
  try {
    for (let tries = 1; ; tries += 1) {
      const port = await freePort()
      try {
        return handleOf(await launch(port, dir, args), port, dir, args)
      } catch (error) {
        if (tries === PORT_TRIES || !String(error).includes('Address already in use')) throw error
      }
    }
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}

function handleOf(
  first: ChildProcess,
  port: number,
  dir: string,
  args: readonly string[],
): RedisServer {
  let child = first
  const killChild = () => child.kill('SIGKILL')
  // Elsewhere, when it ends by itself.
  process.once('exit', killChild)

  async function kill() {
    if (!running(child)) return
    killChild()
    await once(child, 'exit')
  }
  async function close() {
    process.off('exit', killChild)
    await kill()
    await rm(dir, { recursive: true, force: true })
  }
  return {
    url: `redis://${HOST}:${port}`,
    port,
    get pid() {
      return child.pid as number
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill,
    async restart() {
      await kill()
      child = await launch(port, dir, args)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function launch(port: number, dir: string, args: readonly string[]): Promise<ChildProcess> {
  const [program, ...before] = COMMAND
  const child = spawn(
    program,
    [
      ...[...before, '--port', String(port), '--bind', HOST, '--dir', dir],
      ...['--save', '', '--appendonly', 'no', ...args],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4_096)
    })
  }
  const ended = new AbortController()
  child.once('error', (cause) => ended.abort(cause))
  child.once('close', (code) => ended.abort(new Error(`redis-server ended (${code}): ${output}`)))
  const deadline = AbortSignal.any([ended.signal, AbortSignal.timeout(READY_MS)])
  try {
    // By its pid, as another Redis may have got the port first.
    const isReady = (text: string) =>
      text.startsWith('+PONG') && text.includes(`process_id:${child.pid}\r\n`)
    await answered(port, 'PING\r\nINFO server', isReady, deadline)
    return child
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

export interface RedisCluster extends AsyncDisposable {
  /** All nodes, separated by commas. */
  readonly url: string
  readonly nodes: readonly RedisServer[]
  close(): Promise<void>
}

/** Three masters that share all slots. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = []
  const close = async () => {
    await Promise.all(nodes.map((node) => node.close()))
  }
  try {
    while (nodes.length < 3) nodes.push(await startClusterNode())
    const addresses = nodes.map(({ port }) => `${HOST}:${port}`)
    const options = ['--cluster-replicas', '0', '--cluster-yes']
    await promisify(execFile)('redis-cli', ['--cluster', 'create', ...addresses, ...options])
    const deadline = AbortSignal.timeout(CLUSTER_MS)
    const isOk = (text: string) => text.includes('cluster_state:ok')
    await Promise.all(nodes.map(({ port }) => answered(port, 'CLUSTER INFO', isOk, deadline)))
  } catch (error) {
    await close()
    throw error
  }
  return { url: nodes.map(({ url }) => url).join(), nodes, close, [Symbol.asyncDispose]: close }
}

async function startClusterNode() {
  // Without a bus port of its own a node takes its port + 10,000, which may be in use.
  const bus = String(await freePort())
  return startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', bus] })
}

/** Asks again, over a new connection each time, until the answer is the right one. */
async function answered(
  port: number,
  commands: string,
  isRight: (text: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const text = await ask(port, commands, signal).catch(() => undefined)
    if (text !== undefined && isRight(text)) return
    await wait(RETRY_MS, undefined, { signal }).catch(() => {})
  }
}

/** One command a line, and all that comes back (redis.io, "Inline commands"). */
async function ask(port: number, commands: string, signal: AbortSignal): Promise<string> {
  const socket = connect({ port, host: HOST, signal })
  socket.setEncoding('utf8').write(`${commands}\r\nQUIT\r\n`)
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

/**
 * Below the range that the system gives to outgoing connections (32768 and up on Linux): else a
 * client that reconnects to a dead server's port may get that very port, and talk to itself.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen({ port, host: HOST, exclusive: true }, () => resolve(true))
    })
    if (!free) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

const running = (child: ChildProcess) => child.exitCode === null && child.signalCode === null
