import { type Bench, figure } from './support/figures.ts'
import {
  direct,
  issueRequest,
  startService,
  startSimulator,
  UNGOVERNED,
} from './support/service.ts'
import { median, quantile } from './support/statistics.ts'
import { openWire, type Wire } from './support/wire.ts'

/** Milliseconds that each of GitHub's answers takes. */
const LATENCY = 50
const ISSUE = '/repos/bench/bench/issues'

export const coldIssue: Bench = {
  name: 'cold-issue',
  title: 'An issue with its comments fetched from GitHub, against the slower of the two calls',
  async run() {
    const { ratios, service, baseline } = await compare({
      issues: 100,
      comments: 20,
      warmUp: 25,
      request: (number) => issueRequest(number),
      baseline: async (wires, number) => {
        const paths = [`${ISSUE}/${number}`, `${ISSUE}/${number}/comments?per_page=30&page=1`]
        const times = paths.map((path, at) => timed(wires[at] as Wire, direct(path)))
        return Math.max(...(await Promise.all(times)))
      },
    })
    return [
      figure('service ÷ slower call', median(ratios), 'ratio', { most: 1.15 }),
      figure('service ÷ slower call, worst of ten', quantile(ratios, 0.9), 'ratio'),
      figure('service', median(service), 'ms'),
      figure('slower call', median(baseline), 'ms'),
    ]
  },
}

export const coldPages: Bench = {
  name: 'cold-pages',
  title: 'An issue with 1,000 comments, against two round trips one after another',
  async run() {
    const { ratios, service, baseline } = await compare({
      issues: 100,
      comments: 1_000,
      // It does so much once for each issue that V8 needs dozens of them to have compiled it well.
      warmUp: 60,
      request: (number) => issueRequest(number, { max_comments: 1_000 }),
      // GitHub's own time to write pages is no round trip: they are there when the service asks.
      prepare: (number) =>
        Array.from(
          { length: 10 },
          (_, page) => `${ISSUE}/${number}/comments?per_page=100&page=${page + 1}`,
        ),
      baseline: async ([wire], number) => {
        const first = await timed(wire as Wire, direct(`${ISSUE}/${number}`))
        return first + (await timed(wire as Wire, direct(`${ISSUE}/${number}`)))
      },
    })
    return [
      figure('service ÷ two round trips', median(ratios), 'ratio', { most: 1.25 }),
      figure('service', median(service), 'ms'),
      figure('two round trips', median(baseline), 'ms'),
    ]
  },
}

interface Comparison {
  readonly issues: number
  readonly comments: number
  /** Issues asked for before those that count. */
  readonly warmUp: number
  readonly request: (number: number) => Buffer
  readonly prepare?: (number: number) => readonly string[]
  /** Milliseconds of the same from GitHub directly. */
  readonly baseline: (wires: readonly Wire[], number: number) => Promise<number>
}

/** Each issue is asked for once, of GitHub and of the service by turns. */
async function compare({ issues, comments, warmUp, request, prepare, baseline }: Comparison) {
  await using github = await startSimulator({ issues, comments, latency: LATENCY })
  await using server = await startService(github, { env: UNGOVERNED })
  const toService = openWire(server.url)
  const toGitHub = Array.from({ length: 10 }, () => openWire(github.url))
  const service: number[] = []
  const alone: number[] = []
  for (let number = 1; number <= issues; number += 1) {
    const paths = prepare?.(number) ?? []
    await Promise.all(paths.map((path, at) => timed(toGitHub[at] as Wire, direct(path))))
    alone.push(await baseline(toGitHub, number))
    service.push(await timed(toService, request(number)))
  }
  for (const wire of [toService, ...toGitHub]) wire.close()
  const counted = service.slice(warmUp)
  const base = alone.slice(warmUp)
  const ratios = counted.map((time, index) => time / (base[index] as number))
  return { ratios, service: counted, baseline: base }
}

function timed(wire: Wire, request: Buffer): Promise<number> {
  const begun = performance.now()
  return new Promise((resolve, reject) => {
    wire.send(request, ({ status, body }) => {
      if (status === 200) resolve(performance.now() - begun)
      else reject(new Error(`${status} ${body}`))
    })
  })
}
