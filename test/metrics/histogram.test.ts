import { Histogram, Registry } from '@prometheus-io/client'
import { describe, expect, it } from 'vitest'
import { createHistogram } from '../../src/metrics/histogram.ts'

const BUCKETS = [0.001, 0.5, 1, 10]
const about = { name: 'seconds', help: 'How "long"\nit took' }

/** What our histogram and the client's own say of the same values. */
async function told(values: readonly (readonly [labels: Record<string, string>, value: number])[]) {
  const [ours, theirs] = [new Registry(), new Registry()]
  const observe = createHistogram({ ...about, buckets: BUCKETS, registry: ours })
  const histogram = new Histogram({
    ...about,
    buckets: BUCKETS,
    labelNames: ['route', 'status'],
    registers: [theirs],
  })
  for (const [labels, value] of values) {
    observe(labels)(value)
    histogram.observe(labels, value)
  }
  return { ours, theirs }
}

/** Lines without regard to the order of labels. */
const linesOf = async (registry: Registry) =>
  (await registry.metrics()).split('\n').map((line) => {
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    return name === undefined ? line : `${name} ${labels.split(',').sort().join()} ${value}`
  })

describe('the histogram', () => {
  const ok = { route: '/a', status: '200' }
  const bad = { route: '/a "quoted" \\ \n', status: '500' }

  it.each([
    ['nothing', []],
    ['values in, on and past the bounds', [0, 0.001, 0.0011, 0.5, 1, 9, 10, 11, 1e6]],
  ])('says of %s what the client’s own says', async (_what, values) => {
    const { ours, theirs } = await told(
      values.flatMap((value) => [[ok, value] as const, [bad, value * 2] as const]),
    )
    expect(await linesOf(ours)).toEqual(await linesOf(theirs))
  })

  it('has one series for equal labels, in whatever order', async () => {
    const { ours, theirs } = await told([
      [{ route: '/a', status: '200' }, 1],
      [{ status: '200', route: '/a' }, 2],
    ])
    expect(await linesOf(ours)).toEqual(await linesOf(theirs))
  })

  it('can be merged with those of other processes', async () => {
    const [first, second] = [await told([[ok, 0.4]]), await told([[ok, 3]])]
    const merged = (kind: 'ours' | 'theirs') =>
      Promise.all([first[kind].getMetricsAsJSON(), second[kind].getMetricsAsJSON()]).then((all) =>
        all.map(([metric]) => metric?.values.map(({ value }) => value)),
      )
    expect(await merged('ours')).toEqual(await merged('theirs'))
  })
})
