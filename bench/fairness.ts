import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, type Figure, figure } from './support/figures.ts'
import { type Answered, pace, saturate } from './support/load.ts'
import {
  environment,
  issueRequest,
  startService,
  startSimulator,
  UNGOVERNED,
} from './support/service.ts'
import { median, quantile } from './support/statistics.ts'

const ISSUES = 60_000
const WARM = 50
const ROUNDS = 3
const ROUND_MS = 4_000
/** Requests a second of the caller who asks little. */
const RATE = 50
const FLOOD_CONNECTIONS = 200
const KEYS = { ann: 'ann-key-0123456789abcdef', bob: 'bob-key-0123456789abcdef' }

export const fairness: Bench = {
  name: 'fairness',
  title: 'A caller who asks little, beside one who asks without end',
  async run() {
    await using github = await startSimulator({ issues: ISSUES, comments: 3, latency: 20 })
    const API_KEYS = Object.entries(KEYS)
      .map(([name, key]) => `${name}:${key}`)
      .join()
    const env = { ...environment(github), ...UNGOVERNED, API_KEYS }
    await using service = await startService(github, { env })
    let last = WARM
    let failed = 0
    const fresh = (name: keyof typeof KEYS) => () => {
      last += 1
      return requestBy(name, last)
    }
    const warm = (name: keyof typeof KEYS) => (index: number) => requestBy(name, 1 + (index % WARM))
    const urls = [service.url]
    await saturate({ urls, connections: 1, request: warm('bob'), count: WARM })

    async function beside(
      what: string,
      floodOf: (index: number) => Buffer,
      request: (index: number) => Buffer,
    ): Promise<Figure> {
      const ratios: number[] = []
      /** p99 of the second half: by then all connections are there. */
      const own = async () => {
        const latencies: number[] = []
        const onAnswer = ({ index, latency }: Answered) =>
          void (index > (RATE * ROUND_MS) / 2_000 && latencies.push(latency))
        const load = await pace({
          urls,
          connections: 16,
          rate: RATE,
          ms: ROUND_MS,
          request,
          onAnswer,
        })
        if (load.failed > 0) failed += load.failed
        return quantile(latencies, 0.99)
      }
      await own()
      for (let round = 0; round < ROUNDS; round += 1) {
        const alone = await own()
        const flood = saturate({
          urls,
          connections: FLOOD_CONNECTIONS,
          request: floodOf,
          ms: ROUND_MS + 2_000,
        })
        await sleep(2_000)
        const besides = await own()
        await flood
        ratios.push(besides / alone)
        console.error(what, alone, besides, failed)
      }
      return figure(what, median(ratios), 'ratio', { most: 2 })
    }

    return [
      await beside('cold beside cold: p99 ÷ alone', fresh('ann'), fresh('bob')),
      await beside('warm beside cold: p99 ÷ alone', fresh('ann'), warm('bob')),
      await beside('cold beside warm: p99 ÷ alone', warm('ann'), fresh('bob')),
      await beside('warm beside warm: p99 ÷ alone', warm('ann'), warm('bob')),
      figure('failed requests of who asks little', failed, 'requests', { most: 0 }),
    ]
  },
}

function requestBy(name: keyof typeof KEYS, number: number): Buffer {
  const text = issueRequest(number).toString()
  return Buffer.from(text.replace(/^(authorization: Bearer ).*$/m, `$1${KEYS[name]}`))
}
