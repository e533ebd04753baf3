import { Agent, request } from 'undici'
import { type Service, startProcess } from '../../test/support/process.ts'

/** What a caller got: an answer, or how the connection broke. */
export interface Reply {
  /** 0 where the connection broke. */
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** Epoch milliseconds. */
  readonly sentAt: number
  readonly endedAt: number
  /** The broken connection's code. */
  readonly broken?: string
  /** Whether the replica was killed while this was on its way. */
  readonly killed?: boolean
}

export interface Ask {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Replicas extends AsyncDisposable {
  readonly pids: readonly number[]
  readonly urls: readonly string[]
  /** One request to a replica that listens, by turns; as a balancer does, it goes on to the next where nobody listens. */
  send(ask: Ask): Promise<Reply>
  /** The same, to one replica. */
  sendTo(index: number, ask: Ask): Promise<Reply>
  /** SIGKILL. */
  kill(index: number): Promise<void>
  /** SIGTERM, until it has ended. @returns its exit code */
  stop(index: number): Promise<number | null>
  start(index: number): Promise<void>
  /** Closes the callers' idle connections. */
  hangUp(): Promise<void>
}

interface Replica {
  process: Service
  url: string
  agent: Agent
  /** Epoch milliseconds; Infinity while nobody has killed it. */
  killedAt: number
  /** It told its callers to leave, or nobody listens. */
  leaving: boolean
}

/** Milliseconds after a SIGKILL in which callers may not have noticed yet. */
const NOTICED_MS = 250
/** Milliseconds. No answer may take longer: the slowest fault is bounded by GITHUB_TIMEOUT_MS. */
const LONGEST_MS = 20_000
const REFUSED = new Set(['ECONNREFUSED'])

const newAgent = () =>
  new Agent({ allowH2: false, headersTimeout: LONGEST_MS, bodyTimeout: LONGEST_MS })

/** Real processes on ports of their own behind a balancer that knows only what their callers see. */
export async function startReplicas(
  size: number,
  env: Readonly<Record<string, string>>,
): Promise<Replicas> {
  const launch = async (): Promise<Replica> => {
    const process = startProcess({ env: { NODE_ENV: 'production', PORT: '0', ...env } })
    const url = await process.url
    const agent = newAgent()
    return { process, url, agent, killedAt: Number.POSITIVE_INFINITY, leaving: false }
  }
  const replicas = await Promise.all(Array.from({ length: size }, launch))
  let turn = 0

  async function sendTo(replica: Replica, ask: Ask): Promise<Reply> {
    const sentAt = Date.now()
    const { method, headers, body } = ask
    try {
      const options = { method, headers, dispatcher: replica.agent }
      const answer = await request(replica.url + ask.path, body ? { ...options, body } : options)
      const text = await answer.body.text()
      if (answer.headers.connection === 'close') replica.leaving = true
      const { statusCode: status } = answer
      return { status, headers: answer.headers, text, sentAt, endedAt: Date.now() }
    } catch (error) {
      const { code = String(error) } = error as { code?: string }
      const killed = sentAt <= replica.killedAt + NOTICED_MS && replica.killedAt <= Date.now()
      const broken = { status: 0, headers: {}, text: '', sentAt, endedAt: Date.now(), killed }
      return { ...broken, broken: code }
    }
  }

  async function send(ask: Ask): Promise<Reply> {
    const sentAt = Date.now()
    for (let tries = 0; ; tries += 1) {
      const order = replicas.map((_, at) => replicas[(turn + at) % size] as Replica)
      const replica = order.find(({ leaving }) => !leaving) ?? order[0]
      turn += 1
      if (!replica) throw new Error('there are no replicas')
      const reply = await sendTo(replica, ask)
      if (!REFUSED.has(reply.broken ?? '') || tries === 2 * size) return { ...reply, sentAt }
      replica.leaving = true
    }
  }

  const at = (index: number) => replicas[index % size] as Replica
  return {
    get pids() {
      return replicas.map(({ process }) => process.pid as number)
    },
    get urls() {
      return replicas.map(({ url }) => url)
    },
    send,
    sendTo: (index, ask) => sendTo(at(index), ask),
    async kill(index) {
      const replica = at(index)
      replica.killedAt = Date.now()
      replica.process.signal('SIGKILL')
      await replica.process.exited
    },
    async stop(index) {
      const replica = at(index)
      replica.process.signal('SIGTERM')
      return (await replica.process.exited).code
    },
    async start(index) {
      const old = at(index).agent
      replicas[index % size] = await launch()
      await old.destroy()
    },
    async hangUp() {
      await Promise.all(
        replicas.map(async (replica) => {
          const old = replica.agent
          replica.agent = newAgent()
          await old.close()
        }),
      )
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        replicas.map(async ({ agent, process }) => {
          await agent.destroy()
          await process[Symbol.asyncDispose]()
        }),
      )
    },
  }
}
