/** A stretch of a list. */
export interface Window {
  readonly offset: number
  readonly limit: number
}

/** Places in a list, in any order, as unbroken windows of at most `most` entries. */
export function windowsOf(
  positions: readonly number[],
  most = Number.POSITIVE_INFINITY,
): readonly Window[] {
  const windows: { offset: number; limit: number }[] = []
  for (const position of positions.toSorted((left, right) => left - right)) {
    const last = windows.at(-1)
    if (last && last.offset + last.limit === position && last.limit < most) last.limit += 1
    else windows.push({ offset: position, limit: 1 })
  }
  return windows
}
