import OpenAI from 'openai'
import { shownOf } from '../src/sessions/items/item.ts'
import { startRedis } from '../test/support/redis.ts'
import { compareCapacity } from './support/capacity.ts'
import { moveTo } from './support/cores.ts'
import { type Bench, figure } from './support/figures.ts'
import { type Server, start } from './support/servers.ts'
import { AUTHORIZED, environment, startService, startSimulator } from './support/service.ts'
import {
  appendRequest,
  createSession,
  invokeRequest,
  noteOf,
  statusRequest,
} from './support/sessions.ts'
import { median, quantile } from './support/statistics.ts'
import { openWire, type Reply, type Wire } from './support/wire.ts'

/** Sessions that are written by turns, and items in each. */
const SESSIONS = 32
const ITEMS = 50
const CONNECTIONS = 16

export const sessionStore: Bench = {
  name: 'session-store',
  title: 'Appends and status of sessions, against a bare route that writes and reads a Redis hash',
  async run() {
    await using redis = await startRedis()
    moveTo('any', redis.pid)
    await using github = await startSimulator()
    const env = { REDIS_URL: redis.url }
    await using service = await startService(github, { env })
    await using bare = await start({ file: 'bench/servers/bareSessions.ts', env })
    const sessions = await fillSessions(service, bare)
    const of = (index: number) => sessions[index % SESSIONS] as string
    // Each writes what was not there: nothing is as it was.
    const append = (index: number) => appendRequest(of(index), [noteOf(index % ITEMS, index)])
    const status = (index: number) => statusRequest(of(index))
    const [appends, bareAppends] = await compareCapacity(
      { name: 'bare append', server: bare, request: append },
      [{ name: 'append', server: service, request: append }],
      CONNECTIONS,
    )
    const [reads, bareReads] = await compareCapacity(
      { name: 'bare status', server: bare, request: status },
      [{ name: 'status', server: service, request: status }],
      CONNECTIONS,
    )
    const perSecond = (cpu: number) => 1e6 / cpu
    return [
      figure('append ÷ bare route with HSET', appends.ratio, 'ratio'),
      figure('append ÷ bare, by the clock', appends.wallRatio, 'ratio'),
      figure('appends of a kilobyte', perSecond(appends.cpu), 'a second of CPU'),
      figure('bare appends', perSecond(bareAppends.cpu), 'a second of CPU'),
      figure('status ÷ bare route with HVALS', reads.ratio, 'ratio'),
      figure('status ÷ bare, by the clock', reads.wallRatio, 'ratio'),
      figure('status of 50 items', perSecond(reads.cpu), 'a second of CPU'),
      figure('bare status', perSecond(bareReads.cpu), 'a second of CPU'),
    ]
  },
}

/** The same sessions with the same items in both. */
async function fillSessions(service: Server, bare: Server): Promise<string[]> {
  const notes = Array.from({ length: ITEMS }, (_, id) => noteOf(id, 0))
  const sessions: string[] = []
  const wires = [service, bare].map(({ url }) => openWire(url))
  while (sessions.length < SESSIONS) {
    const session = await createSession(service.url)
    for (const wire of wires) await send(wire, appendRequest(session, notes))
    sessions.push(session)
  }
  for (const wire of wires) wire.close()
  return sessions
}

/** Turns that are measured, those before that are not, and turns of one session. */
const TURNS = 200
const WARM_UP = 40
const TURNS_EACH = 5

export const sessionInvoke: Bench = {
  name: 'session-invoke',
  title: 'A turn of a session with 50 items, against the bare SDK call with the same prompt',
  async run() {
    await using redis = await startRedis()
    moveTo('any', redis.pid)
    await using github = await startSimulator()
    await using model = await start({ file: 'bench/servers/model.ts', core: 'load' })
    const env = {
      ...environment(github),
      REDIS_URL: redis.url,
      OPENAI_BASE_URL: `${model.url}/v1`,
      DEFAULT_MODEL: 'openai/bench',
      MODEL_CONTEXT_TOKENS: '128000',
    }
    await using service = await startService(github, { env })
    const notes = Array.from({ length: ITEMS }, (_, id) => noteOf(id, 0))
    const material = notes.map((note) => shownOf(note)).join('\n\n')
    const sdk = new OpenAI({ apiKey: 'none', baseURL: `${model.url}/v1`, maxRetries: 0 })
    const wire = openWire(service.url)
    const turns: number[] = []
    const bare: number[] = []
    const delays: number[] = []
    let session = ''
    for (let turn = 0; turn < TURNS + WARM_UP; turn += 1) {
      if (turn % TURNS_EACH === 0) {
        session = await createSession(service.url)
        await send(wire, appendRequest(session, notes))
      }
      bare.push(await timed(() => callModel(sdk, `${material}\n\nQuestion ${turn}?`)))
      turns.push(await timed(() => send(wire, invokeRequest(session, `Question ${turn}?`))))
      delays.push(await firstToken(service.url, session))
    }
    wire.close()
    const [ours, theirs] = [turns, bare].map((times) => times.slice(WARM_UP)) as [
      number[],
      number[],
    ]
    const added = ours.map((time, index) => time - (theirs[index] as number))
    return [
      figure('added to the bare SDK call, p50', median(added), 'ms', { most: 3 }),
      figure('added, p95', quantile(added, 0.95), 'ms'),
      figure('turn, p50', median(ours), 'ms'),
      figure('bare SDK call, p50', median(theirs), 'ms'),
      figure('prompt', material.length, 'characters'),
      figure('first token after the model’s, p50', median(delays.slice(WARM_UP)), 'ms', {
        most: 20,
      }),
      figure('first token after the model’s, p95', quantile(delays.slice(WARM_UP), 0.95), 'ms'),
    ]
  },
}

/** Milliseconds from the moment that the model wrote its first token until the caller reads it. */
async function firstToken(url: string, session: string): Promise<number> {
  const response = await fetch(`${url}/mcp/session/${session}/invoke`, {
    method: 'POST',
    headers: { ...AUTHORIZED, accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ user_input: 'When?' }),
  })
  let text = ''
  let delay: number | undefined
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    const [, written] = /"text":"([\d.]+)"/.exec(text) ?? []
    if (written) delay ??= performance.timeOrigin + performance.now() - Number(written)
  }
  if (delay === undefined) throw new Error(`No token: ${text}`)
  return delay
}

async function callModel(sdk: OpenAI, content: string): Promise<void> {
  const messages = [{ role: 'user', content }] as const
  const stream = await sdk.chat.completions.create({
    model: 'bench',
    messages: [...messages],
    max_tokens: 4_096,
    stream: true,
    stream_options: { include_usage: true },
  })
  let text = ''
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? ''
  if (text === '') throw new Error('The model said nothing')
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

function send(wire: Wire, request: Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    wire.send(request, (reply) => {
      if (reply.status === 200 || reply.status === 204) resolve(reply)
      else reject(new Error(`${reply.status} ${reply.body}`))
    })
  })
}
