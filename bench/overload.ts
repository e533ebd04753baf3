import { setInterval as every } from 'node:timers/promises'
import { ask } from './support/ask.ts'
import { type Bench, type Figure, figure } from './support/figures.ts'
import { type Flood, openCrowd } from './support/flood.ts'
import { saturate } from './support/load.ts'
import type { Server } from './support/servers.ts'
import {
  askIssue,
  issueRequest,
  startService,
  startSimulator,
  UNGOVERNED,
} from './support/service.ts'
import { median, quantile } from './support/statistics.ts'

const ISSUES = 100_000
const WARM = 50
const TIMES = 3
/** One after the other: what V8 makes of one and the same code differs by a tenth from process to process. */
const PROCESSES = 4
/** Of each. Short and many: machines that are shared change from second to second. */
const ROUNDS = 6
const ROUND_MS = 1_500
const LEAD_MS = 500
const WARM_UP_MS = 4_000
const CONNECTIONS = 2_000

interface Mix {
  readonly name: string
  /** One request in so many is for an issue that nobody asked for before. */
  readonly coldEvery: number
  readonly least?: number
}

const MIXES: readonly Mix[] = [
  { name: 'one request in twenty cold', coldEvery: 20, least: 0.9 },
  { name: 'all warm', coldEvery: Number.POSITIVE_INFINITY, least: 0.9 },
]

export const overload: Bench = {
  name: 'overload',
  title: 'Three times the load that the service can answer',
  async run() {
    await using github = await startSimulator({ issues: ISSUES, comments: 3, latency: 20 })
    const figures: Figure[] = []
    for (const mix of MIXES) {
      const seen: Seen[] = []
      for (let process = 0; process < PROCESSES; process += 1) {
        await using service = await startService(github, { env: UNGOVERNED })
        seen.push(await measure(mix, service))
      }
      figures.push(...figuresOf(mix, seen))
    }
    return figures
  },
}

/** Of one process, by rounds. */
interface Seen {
  /** Answers at three times the load ÷ capacity, for a second of CPU and for one of the clock. */
  readonly byCpu: readonly number[]
  readonly ratios: readonly number[]
  readonly floods: readonly Flood[]
  readonly health: readonly Reply[]
}

async function measure({ coldEvery }: Mix, server: Server): Promise<Seen> {
  const { url } = server
  for (let number = 1; number <= WARM; number += 1) await askIssue(url, number)
  let fresh = WARM
  const request = (index: number) => {
    if (index % coldEvery !== coldEvery - 1) return issueRequest(1 + (index % WARM))
    fresh += 1
    return issueRequest(fresh)
  }
  const full = (ms: number) => saturate({ urls: [url], connections: 64, request, ms })
  await full(WARM_UP_MS)
  const crowd = await openCrowd(url, CONNECTIONS)
  const { cpuSeconds } = server
  const ratios: number[] = []
  const byCpu: number[] = []
  const floods: Flood[] = []
  const health: Reply[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = cpuSeconds()
    const { requests, seconds } = await full(ROUND_MS)
    const perCpu = requests / (cpuSeconds() - before)
    const capacity = requests / seconds
    const probes = probe(url)
    const rate = TIMES * capacity
    const load = await crowd.flood({ rate, leadMs: LEAD_MS, ms: ROUND_MS, request, cpuSeconds })
    health.push(...(await probes.end()))
    byCpu.push(load.served.length / load.cpu / perCpu)
    ratios.push(load.served.length / load.seconds / capacity)
    floods.push(load)
  }
  crowd.close()
  return { byCpu, floods, health, ratios }
}

function figuresOf({ least, name }: Mix, seen: readonly Seen[]): Figure[] {
  const byCpu = seen.flatMap((one) => one.byCpu)
  const ratios = seen.flatMap((one) => one.ratios)
  const floods = seen.flatMap((one) => one.floods)
  const health = seen.flatMap((one) => one.health)
  const target = least === undefined ? undefined : { least }
  const p99 = (of: 'served' | 'refused') =>
    median(floods.map((load) => quantile(load[of], 0.99)).filter((value) => !Number.isNaN(value)))
  const others = floods.flatMap(({ statuses }) =>
    [...statuses].filter(([status]) => status !== 200 && status !== 503),
  )
  return [
    figure(`${name}: answers at three times the load ÷ capacity`, median(byCpu), 'ratio', target),
    figure(`${name}: the same by the clock`, median(ratios), 'ratio'),
    figure(`${name}: p99 of what is served`, p99('served'), 'ms'),
    figure(`${name}: p99 of what is refused`, p99('refused'), 'ms'),
    figure(
      `${name}: refused`,
      median(
        floods.map(({ refused, served }) => refused.length / (refused.length + served.length)),
      ),
      'of what is answered',
    ),
    figure(
      `${name}: answers other than 200 and 503 with Retry-After`,
      others.reduce((sum, [, count]) => sum + count, 0) +
        floods.reduce((sum, { unexplained }) => sum + unexplained, 0),
      'answers',
      { most: 0 },
    ),
    figure(
      `${name}: p99 of health checks`,
      quantile(
        health.map(({ latency }) => latency),
        0.99,
      ),
      'ms',
    ),
    figure(
      `${name}: failed health checks`,
      health.filter(({ status }) => status !== 200).length,
      `of ${health.length}`,
      { most: 0 },
    ),
  ]
}

interface Reply {
  readonly status: number
  /** Milliseconds. */
  readonly latency: number
}

/** Asks for health ten times a second, each time on a connection of its own. */
function probe(url: string) {
  const stop = new AbortController()
  const replies: Promise<Reply>[] = []
  const asking = (async () => {
    try {
      for await (const _ of every(100, undefined, { signal: stop.signal }))
        replies.push(askHealth(url))
    } catch (error) {
      if (!stop.signal.aborted) throw error
    }
  })()
  return {
    async end(): Promise<Reply[]> {
      stop.abort()
      await asking
      return Promise.all(replies)
    },
  }
}

async function askHealth(url: string): Promise<Reply> {
  const started = performance.now()
  const { status } = await ask(url, 'GET', '/health')
  return { status, latency: performance.now() - started }
}
