/** Differences as GitHub shows them: the files between two trees, each with its patch in git's form. */
import { filesOf, type Git, type GitFile } from './git.ts'
import type { FileBody } from './work-types.ts'

const CONTEXT = 3
/** Beyond these GitHub counts a file's lines but does not show them (docs.github.com, "limits for viewing content and diffs"). */
const MOST_LINES = 20_000
const MOST_BYTES = 500_000
/** Share of lines in common from which git calls it a rename. */
const SIMILAR = 0.5

type Change = Pick<FileBody, 'status' | 'additions' | 'deletions' | 'changes'> & { patch?: string }

interface Edit {
  mark: ' ' | '+' | '-'
  text: string
  /** Line numbers before and after, from 1. */
  from: number
  to: number
}

/** What changes from one tree to another, by path. */
export function diffTrees(git: Git, from: string, to: string, fullName: string): FileBody[] {
  const before = new Map(filesOf(git, from).map((file) => [file.path, file]))
  const after = new Map(filesOf(git, to).map((file) => [file.path, file]))
  const added = [...after.values()].filter(({ path }) => !before.has(path))
  const removed = new Set([...before.values()].filter(({ path }) => !after.has(path)))
  const found: FileBody[] = []
  for (const file of after.values()) {
    const old = before.get(file.path)
    if (old && (old.sha !== file.sha || old.mode !== file.mode)) {
      found.push(bodyOf(git, fullName, old, file))
    }
  }
  for (const file of added) {
    const source = [...removed].find((old) => similarity(git, old, file) >= SIMILAR)
    if (source) removed.delete(source)
    found.push(bodyOf(git, fullName, source, file))
  }
  for (const file of removed) found.push(bodyOf(git, fullName, file, undefined))
  return found.sort((a, b) => (a.filename < b.filename ? -1 : 1))
}

function bodyOf(git: Git, fullName: string, old?: GitFile, file?: GitFile): FileBody {
  const { path, sha } = (file ?? old) as GitFile
  const change = diffTexts(textOf(git, old), textOf(git, file))
  const renamed = old && file && old.path !== file.path
  const status = !old ? 'added' : !file ? 'removed' : renamed ? 'renamed' : 'modified'
  return Object.freeze({
    sha,
    filename: path,
    ...change,
    status: status === 'modified' && change.changes === 0 && old?.sha === sha ? 'changed' : status,
    blob_url: `https://github.com/${fullName}/blob/${sha}/${encodeURI(path)}`,
    raw_url: `https://github.com/${fullName}/raw/${sha}/${encodeURI(path)}`,
    contents_url: `https://api.github.com/repos/${fullName}/contents/${encodeURI(path)}?ref=${sha}`,
    ...(renamed && { previous_filename: old.path }),
  })
}

/** Undefined for what is binary, as git guesses it. */
function textOf(git: Git, file: GitFile | undefined): string | undefined {
  if (!file) return ''
  if (file.mode === '160000') return `Subproject commit ${file.sha}\n`
  const bytes = git.blobs.get(file.sha)?.bytes ?? Buffer.alloc(0)
  return bytes.subarray(0, 8_000).includes(0) ? undefined : bytes.toString()
}

function similarity(git: Git, old: GitFile, file: GitFile): number {
  if (old.mode !== file.mode) return 0
  if (old.sha === file.sha) return 1
  const lines = linesOf(textOf(git, old) ?? '')
  const after = linesOf(textOf(git, file) ?? '')
  const known = new Set(lines)
  const most = Math.max(lines.length, after.length, 1)
  return after.filter((line) => known.has(line)).length / most
}

/** Counts and patch from one text to another; either is undefined where it is binary. */
export function diffTexts(from: string | undefined, to: string | undefined): Change {
  if (from === undefined || to === undefined) {
    return { status: 'modified', additions: 0, deletions: 0, changes: 0 }
  }
  const edits = editsOf(linesOf(from), linesOf(to))
  const count = (mark: string) => edits.filter((edit) => edit.mark === mark).length
  const [additions, deletions] = [count('+'), count('-')]
  const changes = additions + deletions
  const patch = changes === 0 ? '' : hunksOf(edits)
  const shown = patch !== '' && changes <= MOST_LINES && patch.length <= MOST_BYTES
  return { status: 'modified', additions, deletions, changes, ...(shown && { patch }) }
}

/** Lines of `to` that were in `from` already: by the one's index the other's. */
export function keptLines(from: string, to: string): Map<number, number> {
  const edits = editsOf(linesOf(from), linesOf(to))
  return new Map(
    edits.filter(({ mark }) => mark === ' ').map((edit) => [edit.to - 1, edit.from - 1]),
  )
}

/** With their ends: the last line may differ by its newline alone. */
export function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/** The shortest way from one list of lines to another (E. W. Myers, "An O(ND) Difference Algorithm", 1986). */
function editsOf(before: string[], after: string[]): Edit[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let [endA, endB] = [before.length, after.length]
  while (endA > start && endB > start && before[endA - 1] === after[endB - 1]) {
    endA--
    endB--
  }
  const marks = [
    ...Array<' '>(start).fill(' '),
    ...shortest(before.slice(start, endA), after.slice(start, endB)),
    ...Array<' '>(before.length - endA).fill(' '),
  ]
  let [from, to] = [0, 0]
  return marks.map((mark): Edit => {
    if (mark !== '+') from++
    if (mark !== '-') to++
    return { mark, text: (mark === '+' ? after[to - 1] : before[from - 1]) ?? '', from, to }
  })
}

function shortest(before: string[], after: string[]): (' ' | '+' | '-')[] {
  const [n, m] = [before.length, after.length]
  // Nothing in common, or too much to look for it: all of the one goes, all of the other comes.
  if (n * m > 4_000_000 || n === 0 || m === 0) {
    return [...Array<'-'>(n).fill('-'), ...Array<'+'>(m).fill('+')]
  }
  const trace: Map<number, number>[] = []
  let reach = new Map([[1, 0]])
  for (let d = 0; d <= n + m; d++) {
    const next = new Map(reach)
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && at(reach, k - 1) < at(reach, k + 1))
      let x = down ? at(reach, k + 1) : at(reach, k - 1) + 1
      while (x < n && x - k < m && before[x] === after[x - k]) x++
      next.set(k, x)
      if (x >= n && x - k >= m) return walkBack([...trace, reach], n, m)
    }
    trace.push(reach)
    reach = next
  }
  return []
}

const at = (reach: Map<number, number>, k: number) => reach.get(k) ?? -1

function walkBack(trace: Map<number, number>[], n: number, m: number): (' ' | '+' | '-')[] {
  const marks: (' ' | '+' | '-')[] = []
  let [x, y] = [n, m]
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d] as Map<number, number>
    const k = x - y
    const down = k === -d || (k !== d && at(reach, k - 1) < at(reach, k + 1))
    const previous = down ? at(reach, k + 1) : at(reach, k - 1)
    const fromY = previous - (down ? k + 1 : k - 1)
    while (x > (down ? previous : previous + 1) && y > (down ? fromY + 1 : fromY) && x > 0) {
      marks.push(' ')
      x--
      y--
    }
    if (d === 0) break
    marks.push(down ? '+' : '-')
    if (down) y--
    else x--
  }
  while (x > 0 && y > 0) {
    marks.push(' ')
    x--
    y--
  }
  return marks.reverse()
}

function hunksOf(edits: Edit[]): string {
  const changed = edits.flatMap(({ mark }, index) => (mark === ' ' ? [] : index))
  const ranges: { start: number; end: number }[] = []
  for (const index of changed) {
    const last = ranges.at(-1)
    if (last && index - CONTEXT <= last.end) last.end = index + CONTEXT
    else ranges.push({ start: Math.max(0, index - CONTEXT), end: index + CONTEXT })
  }
  return ranges.map((range) => hunkOf(edits, range)).join('\n')
}

function hunkOf(edits: Edit[], { start, end }: { start: number; end: number }): string {
  const shown = edits.slice(start, end + 1)
  const before = shown.filter(({ mark }) => mark !== '+').length
  const after = shown.filter(({ mark }) => mark !== '-').length
  const previous = edits[start - 1]
  const first = (line: number, count: number) => (count === 0 ? line : line + 1)
  const range = (line: number, count: number) =>
    `${first(line, count)}${count === 1 ? '' : `,${count}`}`
  const section = edits
    .slice(0, start)
    .findLast(({ text }) => /^[A-Za-z_$]/.test(text))
    ?.text.trimEnd()
  const lines = shown.map(({ mark, text }) =>
    text.endsWith('\n') ? mark + text.slice(0, -1) : `${mark}${text}\n\\ No newline at end of file`,
  )
  const head = `@@ -${range(previous?.from ?? 0, before)} +${range(previous?.to ?? 0, after)} @@`
  return [section ? `${head} ${section.slice(0, 80)}` : head, ...lines].join('\n')
}
