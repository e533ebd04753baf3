import { joinRanges, type LineRange } from '../file/lines.ts'
import type { GraphCommit, GraphRange } from './query.ts'

/** A commit and the lines that it wrote, in order. */
export interface Written {
  readonly commit: GraphCommit
  readonly ranges: readonly LineRange[]
}

/**
 * The first `limit` commits of a window of lines, in the order of their first lines, and from which
 * line on there are others.
 */
export function writersOf(
  ranges: readonly GraphRange[],
  window: LineRange,
  limit: number,
): { writers: readonly Written[]; rest: LineRange | undefined } {
  const writers = new Map<string, { commit: GraphCommit; ranges: LineRange[] }>()
  for (const { startingLine, endingLine, commit } of ranges) {
    const start_line = Math.max(startingLine, window.start_line)
    const end_line = Math.min(endingLine, window.end_line)
    if (start_line > end_line) continue
    const known = writers.get(commit.oid)
    if (!known && writers.size === limit) {
      return { writers: [...writers.values()], rest: { ...window, start_line } }
    }
    const lines = { start_line, end_line }
    if (known) known.ranges.push(lines)
    else writers.set(commit.oid, { commit, ranges: [lines] })
  }
  return { writers: [...writers.values()], rest: undefined }
}

export const nameOfLines = ({ start_line, end_line }: LineRange) =>
  start_line === end_line ? `${start_line}` : `${start_line}–${end_line}`

export const countOf = ({ start_line, end_line }: LineRange) => end_line - start_line + 1

/** Lines of several commits in order, those that touch made one range. */
export function touching(writers: readonly Written[]): LineRange[] {
  const all = writers.flatMap(({ ranges }) => ranges)
  return joinRanges(all.toSorted((left, right) => left.start_line - right.start_line))
}
