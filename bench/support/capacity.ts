import { saturate } from './load.ts'
import type { Server } from './servers.ts'
import { median, round } from './statistics.ts'

/** A server under the same load as the others. */
export interface Contender {
  readonly name: string
  readonly server: Server
  readonly request: (index: number) => Buffer
}

export interface Capacity {
  /** Median of the rounds' ratios to the baseline, by the CPU time of the server … */
  readonly ratio: number
  /** … and by the clock, which the machine's other work moves. */
  readonly wallRatio: number
  /** Microseconds of CPU a request. */
  readonly cpu: number
}

const ROUNDS = 5
const ROUND_MS = 2_500
const WARM_UP_MS = 1_500

interface Stretch {
  readonly perSecond: number
  readonly perCpuSecond: number
}

/**
 * Requests that each server can answer on its core, in rounds by turns, each compared with the
 * baseline of the same round; the baseline's own capacity comes last. CPU time a request is what
 * bounds a process on one core, and unlike requests a second it stays the same when somebody else
 * takes part of that core.
 */
export async function compareCapacity<const Others extends readonly Contender[]>(
  baseline: Contender,
  others: Others,
  connections = 48,
): Promise<[...{ [Index in keyof Others]: Capacity }, Capacity]> {
  const contenders = [baseline, ...others]
  for (const contender of contenders) await stretch(contender, WARM_UP_MS, connections)
  const seen: Stretch[][] = contenders.map(() => [])
  for (let index = 0; index < ROUNDS; index += 1) {
    for (const [at, contender] of contenders.entries())
      seen[at]?.push(await stretch(contender, ROUND_MS, connections))
  }
  const [base = [], ...rest] = seen
  return [...rest, base].map((of) => capacityOf(of, base)) as [
    ...{ [Index in keyof Others]: Capacity },
    Capacity,
  ]
}

function capacityOf(of: readonly Stretch[], base: readonly Stretch[]): Capacity {
  const ratioBy = (by: keyof Stretch) =>
    median(of.map((stretch, index) => stretch[by] / (base[index] as Stretch)[by]))
  const byCpu = ratioBy('perCpuSecond')
  const wallRatio = round(ratioBy('perSecond'), 3)
  return {
    ratio: Number.isNaN(byCpu) ? wallRatio : round(byCpu, 3),
    wallRatio,
    cpu: round(1e6 / median(of.map(({ perCpuSecond }) => perCpuSecond)), 1),
  }
}

async function stretch(
  { name, server, request }: Contender,
  ms: number,
  connections: number,
): Promise<Stretch> {
  const before = server.cpuSeconds()
  const load = await saturate({ urls: [server.url], connections, request, ms })
  if (load.failed > 0) throw new Error(`${name}: ${load.failed} of ${load.requests} failed`)
  return {
    perSecond: load.requests / load.seconds,
    perCpuSecond: load.requests / (server.cpuSeconds() - before),
  }
}
