/** How something developed over the quarters of a run. The first is left out: everything warms up in it. */
export interface Course {
  /** Of the second quarter. */
  readonly second: number
  readonly last: number
  /** The slope of the line through the second half's points with the least squares. */
  readonly perMinute: number
  readonly flat: boolean
}

interface Limit {
  readonly times: number
  readonly more: number
}

/**
 * @param everyMs milliseconds between points
 * @param name what is called `lowest` is compared by its lowest points, others by their mean
 */
export function courseOf(
  points: readonly number[],
  everyMs: number,
  name: string,
  { more, times }: Limit,
): Course {
  const quarter = Math.floor(points.length / 4)
  if (quarter === 0) throw new Error('too few points to tell')
  const summary = name.includes('lowest') ? lowest : mean
  const second = summary(points.slice(quarter, 2 * quarter))
  const last = summary(points.slice(-quarter))
  const perMinute = slope(points.slice(2 * quarter)) * (60_000 / everyMs)
  return { second, last, perMinute, flat: last <= Math.max(second * times, second + more) }
}

/** The tenth lowest of a hundred: one sample that came right after a collection says little. */
function lowest(points: readonly number[]): number {
  const sorted = points.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 10)] ?? 0
}

const mean = (points: readonly number[]) =>
  points.reduce((sum, point) => sum + point, 0) / points.length

/** By the least squares, for each point. */
function slope(points: readonly number[]): number {
  const center = (points.length - 1) / 2
  const average = mean(points)
  const rise = points.reduce((sum, point, at) => sum + (at - center) * (point - average), 0)
  const run = points.reduce((sum, _, at) => sum + (at - center) ** 2, 0)
  return rise / run
}
