import type { components } from '@octokit/openapi-types'

/** A changed file as GitHub lists it (docs.github.com/rest/pulls/pulls#list-pull-requests-files). */
export type DiffEntry = components['schemas']['diff-entry']

/** One stretch of a patch. */
export interface Hunk {
  /** From 1, in the order of the file. */
  readonly number: number
  /** Its `@@` line and its lines, each with its sign: ` `, `+`, `-` or `\`. */
  readonly text: string
}

/** Why a file has no hunks, or that it has. */
export type PatchKind = 'patch' | 'binary' | 'too_large' | 'renamed' | 'mode' | 'empty'

/** git's name of a file without content. */
const EMPTY_BLOB = 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'

/** The hunks of GitHub's `patch`, which begins with the first `@@` line. */
export function hunksOf(patch: string | undefined): Hunk[] {
  if (!patch) return []
  const hunks: string[][] = []
  for (const line of patch.replace(/\n+$/, '').split('\n')) {
    const last = hunks.at(-1)
    // No line within a hunk begins so: each has its sign.
    if (line.startsWith('@@')) hunks.push([line])
    else if (last) last.push(signed(line))
    else hunks.push([signed(line)])
  }
  return hunks.map((lines, index) => ({ number: index + 1, text: lines.join('\n') }))
}

/** What has no sign gets one, so that no line can pass for this service's own. */
const signed = (line: string) => (/^[ +\\-]/.test(line) ? line : ` ${line}`)

/** GitHub leaves `patch` out for what it cannot show; the rest of the entry tells why. */
export function patchKindOf({ changes, patch, sha, status }: DiffEntry): PatchKind {
  if (patch) return 'patch'
  if (changes > 0) return 'too_large'
  if (status === 'renamed' || status === 'copied') return 'renamed'
  if (status === 'changed' || status === 'unchanged') return 'mode'
  return sha === EMPTY_BLOB ? 'empty' : 'binary'
}

/** This service's words for a file without hunks. */
export function noteOn(entry: DiffEntry): string {
  switch (patchKindOf(entry)) {
    case 'binary':
      return 'Binary: no text to show.'
    case 'too_large':
      return `Too large: GitHub shows no patch of these ${entry.changes} lines.`
    case 'renamed':
      return 'The content did not change.'
    case 'mode':
      return 'Only its mode changed.'
    case 'empty':
      return 'It has no content.'
    case 'patch':
      return ''
  }
}

/** Numbers and ranges, for example `2-4,7`. */
export const HUNKS_PATTERN =
  '^[1-9]\\d{0,5}(?:-[1-9]\\d{0,5})?(?:,[1-9]\\d{0,5}(?:-[1-9]\\d{0,5})?)*$'

export function readHunks(hunks: string): (number: number) => boolean {
  const ranges = hunks.split(',').map((range) => range.split('-').map(Number))
  return (number) => ranges.some(([from = 0, to = from]) => number >= from && number <= to)
}

/** Numbers in ascending order, as `readHunks` reads them. */
export function writeHunks(numbers: readonly number[]): string {
  const ranges: { from: number; to: number }[] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last && last.to === number - 1) last.to = number
    else ranges.push({ from: number, to: number })
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}
