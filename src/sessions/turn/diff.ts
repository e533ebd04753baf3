/** Cells of the table below which lines are compared one by one. */
const MOST_CELLS = 250_000
/** Characters of a difference at most. */
const LONGEST = 16_384

/**
 * What changed from one text to another: removed lines behind `- `, new ones behind `+ `, and `…`
 * between places that do not touch. '' where nothing did.
 */
export function difference(before: string, after: string): string {
  if (before === after) return ''
  const [left, right] = [before.split('\n'), after.split('\n')]
  let start = 0
  while (start < left.length && start < right.length && left[start] === right[start]) start += 1
  let end = 0
  const least = Math.min(left.length, right.length) - start
  while (end < least && left.at(-1 - end) === right.at(-1 - end)) end += 1
  const text = lineByLine(
    left.slice(start, left.length - end),
    right.slice(start, right.length - end),
  )
  if (text.length <= LONGEST) return text
  const kept = text.slice(0, text.lastIndexOf('\n', LONGEST))
  return `${kept}\n… ${text.slice(kept.length + 1).split('\n').length} more lines changed`
}

function lineByLine(left: readonly string[], right: readonly string[]): string {
  const removed = left.map((line) => `- ${line}`)
  const added = right.map((line) => `+ ${line}`)
  if (left.length * right.length > MOST_CELLS) return [...removed, ...added].join('\n')
  const longest = longestCommon(left, right)
  const width = right.length + 1
  const at = (row: number, column: number) => longest[row * width + column] ?? 0
  const lines: string[] = []
  let [row, column, same] = [0, 0, 0]
  const say = (line: string) => {
    if (same > 0 && lines.length > 0) lines.push('…')
    same = 0
    lines.push(line)
  }
  while (row < left.length || column < right.length) {
    if (row < left.length && column < right.length && left[row] === right[column]) {
      same += 1
      row += 1
      column += 1
    } else if (
      column === right.length ||
      (row < left.length && at(row + 1, column) >= at(row, column + 1))
    ) {
      say(removed[row++] as string)
    } else say(added[column++] as string)
  }
  return lines.join('\n')
}

/** Length of the longest common subsequence of what is left of both sides, for each pair of places. */
function longestCommon(left: readonly string[], right: readonly string[]): Uint16Array {
  const width = right.length + 1
  const table = new Uint16Array((left.length + 1) * width)
  for (let row = left.length - 1; row >= 0; row -= 1) {
    for (let column = right.length - 1; column >= 0; column -= 1) {
      const below = (row + 1) * width + column
      table[row * width + column] =
        left[row] === right[column]
          ? (table[below + 1] ?? 0) + 1
          : Math.max(table[below] ?? 0, table[row * width + column + 1] ?? 0)
    }
  }
  return table
}
