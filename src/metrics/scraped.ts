import type { Gauge, Registry } from '@prometheus-io/client'

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export interface ScrapedOptions {
  readonly name: string
  readonly help: string
  /** `counter`: what only grows, and is counted where it happens. */
  readonly type: 'gauge' | 'counter'
  /** What the values of several processes on one machine make together. */
  readonly aggregator: 'sum' | 'min' | 'max'
  /** Asked at each scrape, and never between. No samples: the metric is absent. */
  readonly read: () => Iterable<Sample> | Promise<Iterable<Sample>>
}

/**
 * A metric that costs nothing until somebody asks. The client's own cannot be absent: one without
 * labels has the value 0 from the start, so that what is not configured would look broken.
 */
export function scraped(registry: Registry, { read, ...about }: ScrapedOptions): void {
  // What the registry asks of a metric, which its type does not tell (`registry.js`).
  const metric = {
    ...about,
    get: async () => ({
      ...about,
      values: [...(await read())].map(({ labels = {}, value }) => ({ labels, value })),
    }),
    reset: () => {},
  }
  registry.registerMetric(metric as unknown as Gauge)
}

/** One value, or none. */
export function single(value: number | boolean | undefined): Sample[] {
  return value === undefined ? [] : [{ value: Number(value) }]
}

/** A value for each name, as a label. */
export function byName(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }))
}
