import type { Histogram, Registry } from '@prometheus-io/client'

export interface HistogramOptions {
  readonly name: string
  readonly help: string
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[]
  readonly registry: Registry
}

/** Counts one value in a series. */
export type Observe = (value: number) => void

interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** How many values fell into each bucket; the last one has no bound. */
  readonly counts: number[]
  sum: number
}

/**
 * A histogram for what happens with every request: the client's own resolves labels and names of
 * buckets anew for each value, which costs twenty times as much. Here a series is resolved once.
 */
export function createHistogram(
  options: HistogramOptions,
): (labels: Readonly<Record<string, string>>) => Observe {
  const { buckets, help, name, registry } = options
  const all = new Map<string, Series>()
  const about = { name, help, type: 'histogram', aggregator: 'sum' } as const
  // What the registry asks of a metric, which its type does not tell (`registry.js`).
  const metric = {
    ...about,
    get: async () => ({
      ...about,
      values: [...all.values()].flatMap((one) => valuesOf(one, options)),
    }),
    reset: () => all.clear(),
  }
  registry.registerMetric(metric as unknown as Histogram)

  return (labels) => {
    const key = JSON.stringify(Object.entries(labels).sort())
    const empty = new Array<number>(buckets.length + 1).fill(0)
    const series = all.get(key) ?? { labels, counts: empty, sum: 0 }
    all.set(key, series)
    const { counts } = series
    return (value) => {
      let bucket = 0
      while (bucket < buckets.length && value > (buckets[bucket] as number)) bucket += 1
      counts[bucket] = (counts[bucket] as number) + 1
      series.sum += value
    }
  }
}

function valuesOf({ labels, counts, sum }: Series, { buckets, name }: HistogramOptions) {
  let count = 0
  const cumulated = counts.map((inBucket, at) => {
    count += inBucket
    return {
      metricName: `${name}_bucket`,
      labels: { le: String(buckets[at] ?? '+Inf'), ...labels },
      value: count,
    }
  })
  return [
    ...cumulated,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
