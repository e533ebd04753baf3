import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, type Figure, figure } from './support/figures.ts'
import { NUMBER, startGreedy } from './support/greedy.ts'
import { type Answered, pace, saturate } from './support/load.ts'
import {
  environment,
  issueRequest,
  startQuickGitHub,
  startService,
  UNGOVERNED,
} from './support/service.ts'
import { median, quantile } from './support/statistics.ts'

const WARM = 50
/** Issues that one flood may ask for: more than it can. */
const FLOOD_ISSUES = 20_000
/** Short and by turns: machines that are shared change from second to second. */
const ROUNDS = 6
const ROUND_MS = 2_000
/** Requests a second of the caller who asks little. */
const RATE = 50
/** Of the same, over which its requests go by turns. */
const CONNECTIONS = 16
const FLOOD_CONNECTIONS = 200
/** Milliseconds until all of those are open, and each waits for an answer. */
const OPENING = 1_500
const KEYS = { ann: 'ann-key-0123456789abcdef', bob: 'bob-key-0123456789abcdef' }

/** `mixed` is as callers ask: one request in twenty is for what nobody asked for before. */
type Kind = 'warm' | 'cold' | 'mixed'
const COLD_EVERY = 20
type Flood = Exclude<Kind, 'mixed'>

/** Where both ask. */
interface Place {
  readonly name: string
  readonly url: string
  /** A process on the same core, for what two share who share no process: the core, the machine and GitHub. */
  readonly apart?: string
}

interface Seen {
  /** Milliseconds. */
  readonly latency: number
  /** Answers that the other had meanwhile. */
  readonly passed: number
}

export const fairness: Bench = {
  name: 'fairness',
  title: 'A caller who asks little, beside one who asks without end',
  async run() {
    await using github = await startQuickGitHub({ comments: 3, latency: 20 })
    const API_KEYS = Object.entries(KEYS)
      .map(([name, key]) => `${name}:${key}`)
      .join()
    const env = { ...environment(github), ...UNGOVERNED, API_KEYS }
    await using service = await startService(github, { env })
    await using apart = await startService(github, { env })
    await using folder = await mkdtempDisposable(join(tmpdir(), 'fairness-'))
    const installed = {
      ...environment(github),
      API_KEYS,
      ...(await limitsAsInstalled(folder.path)),
    }
    await using governed = await startService(github, { env: installed })
    const unbound = { name: '', url: service.url, apart: apart.url }
    const bound = { name: ', as installed', url: governed.url }
    let last = WARM
    let failed = 0
    const take = (count: number) => {
      const first = last + 1
      last += count
      return first
    }

    const requestOf = (kind: Kind, index: number) =>
      requestBy('bob', isCold(kind, index) ? take(1) : 1 + (index % WARM))

    async function measure(url: string, kind: Kind, others: () => number): Promise<Seen[]> {
      const seen: Seen[] = []
      const before = new Map<number, number>()
      const request = (index: number) => {
        before.set(index, others())
        return Buffer.from(requestOf(kind, index))
      }
      const onAnswer = ({ index, latency }: Answered) => {
        // Who asks now and then has opened its connections long before.
        if (index < CONNECTIONS) return
        seen.push({ latency, passed: others() - (before.get(index) ?? 0) })
      }
      const urls = [url]
      const load = { urls, connections: CONNECTIONS, rate: RATE, ms: ROUND_MS, request, onAnswer }
      failed += (await pace(load)).failed
      return seen
    }

    /** What the one sees while the other floods what listens there. */
    async function underFlood(
      own: Kind,
      other: Flood,
      { url }: Place,
      flooded: string,
    ): Promise<Seen[]> {
      const count = other === 'warm' ? WARM : FLOOD_ISSUES
      await using flood = startGreedy({
        url: flooded,
        connections: FLOOD_CONNECTIONS,
        ms: OPENING + ROUND_MS,
        text: requestBy('ann', 0),
        first: other === 'warm' ? 1 : take(count),
        count,
      })
      await sleep(OPENING)
      return await measure(url, own, flood.answers)
    }

    async function beside(own: Kind, other: Flood, place: Place = unbound): Promise<Figure[]> {
      const { url } = place
      const alone: Seen[][] = []
      const besides: Seen[][] = []
      const aparts: Seen[][] = []
      await measure(url, own, () => 0)
      for (let round = 0; round < ROUNDS; round += 1) {
        alone.push(await measure(url, own, () => 0))
        besides.push(await underFlood(own, other, place, url))
        if (place.apart) aparts.push(await underFlood(own, other, place, place.apart))
      }
      const p99 = (rounds: readonly Seen[][], of: keyof Seen) =>
        median(rounds.map((round) => p99Of(round, of)))
      const name = `${own} beside ${other}${place.name}`
      const usual = p99(alone, 'latency')
      const latency = p99(besides, 'latency')
      const figures = [
        figure(`${name}: p99 ÷ alone`, latency / usual, 'ratio', { most: 2 }),
        figure(`${name}: p99`, latency, 'ms'),
      ]
      if (!place.apart) return figures
      const separate = p99(aparts, 'latency')
      return [
        ...figures,
        figure(
          `${name}: p99 ÷ with the other in a process of its own`,
          latency / separate,
          'ratio',
        ),
        figure(`${name}, in a process of its own: p99 ÷ alone`, separate / usual, 'ratio'),
        figure(
          `${name}: the other’s answers that come first, p99`,
          p99(besides, 'passed'),
          'answers',
        ),
      ]
    }

    const count = WARM
    const request = (index: number) => Buffer.from(requestOf('warm', index))
    for (const { url } of [service, apart, governed])
      await saturate({ urls: [url], connections: 1, request, count })
    return [
      ...(await beside('mixed', 'cold')),
      ...(await beside('mixed', 'warm')),
      ...(await beside('cold', 'cold')),
      ...(await beside('warm', 'cold')),
      ...(await beside('cold', 'warm')),
      ...(await beside('warm', 'warm')),
      ...(await beside('warm', 'cold', bound)),
      ...(await beside('warm', 'warm', bound)),
      figure('failed requests of who asks little', failed, 'requests', { most: 0 }),
    ]
  },
}

/** The limits that hold without any setting, but for the one who is measured: he asks more than that allows. */
async function limitsAsInstalled(folder: string): Promise<Record<string, string>> {
  const POLICIES_FILE = join(folder, 'policies.json')
  const limit = { max: 1_000_000, window_ms: 60_000 }
  await writeFile(POLICIES_FILE, JSON.stringify({ bob: { rate_limit: limit } }))
  return { POLICIES_FILE, RATE_LIMIT_MAX: '600' }
}

function isCold(kind: Kind, index: number): boolean {
  return kind === 'cold' || (kind === 'mixed' && index % COLD_EVERY === COLD_EVERY - 1)
}

function p99Of(seen: readonly Seen[], of: keyof Seen): number {
  return quantile(
    seen.map((one) => one[of]),
    0.99,
  )
}

function requestBy(name: keyof typeof KEYS, number: number): string {
  const text = issueRequest(number).toString()
  if (number === 0 && !text.includes(NUMBER)) throw new Error('The request has another form')
  return text.replace(/^(authorization: Bearer ).*$/m, `$1${KEYS[name]}`)
}
