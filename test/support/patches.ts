import type { Block } from './app.ts'
import { type FileBody, fileBody } from './github/index.ts'

/** A patch of `count` hunks, each of which says its own number. */
export function patchOf(count: number, say: (hunk: number) => string = () => 'changed'): string {
  return Array.from({ length: count }, (_, i) => {
    const line = 1 + i * 50
    const text = `${say(i + 1)} (hunk ${i + 1})`
    return `@@ -${line},3 +${line},4 @@ function part${i + 1}()\n before\n-old\n+${text}\n+new\n after`
  }).join('\n')
}

/** Source, tests, docs and lock files in turn, each file with some hunks. */
export function changedFiles(
  count: number,
  { hunks = () => 1, say }: { hunks?: (file: number) => number; say?: typeof sayNothing } = {},
): FileBody[] {
  return Array.from({ length: count }, (_, i) => {
    const number = String(i).padStart(4, '0')
    const filename = [
      `src/part${number}.ts`,
      `test/part${number}.test.ts`,
      `docs/part${number}.md`,
      `packages/p${number}/package-lock.json`,
    ][i % 4] as string
    return fileBody({ filename, patch: patchOf(hunks(i), (hunk) => (say ?? sayNothing)(i, hunk)) })
  })
}

const sayNothing = (file: number, _hunk: number) => `change of file ${file}`

export interface ShownFile {
  readonly path: string
  readonly previous_path: string | null
  readonly status: string
  readonly kind: string
  readonly additions: number
  readonly deletions: number
  readonly hunks_count: number
  readonly hunks: readonly { readonly number: number; readonly text: string }[]
}

export const filesIn = (blocks: readonly Block[]) =>
  blocks.flatMap(({ files }) => (files ?? []) as readonly ShownFile[])

/** `path#hunk` of every hunk that is shown whole, and `path` of every file that has none. */
export function hunksIn(blocks: readonly Block[]): string[] {
  return filesIn(blocks).flatMap(({ path, hunks, hunks_count }) =>
    hunks_count === 0
      ? [path]
      : hunks
          .filter(({ text }) => !text.includes('tokens omitted]'))
          .map(({ number }) => `${path}#${number}`),
  )
}

export function hunksOfFiles(files: readonly FileBody[]): string[] {
  return files.flatMap(({ filename, patch }) => {
    const count = patch?.match(/^@@/gm)?.length ?? 0
    return count === 0
      ? [filename]
      : Array.from({ length: count }, (_, i) => `${filename}#${i + 1}`)
  })
}
