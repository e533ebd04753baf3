/**
 * What needles are hidden in: the documents, programs and API descriptions of installed packages, and the
 * texts of GitHub's recorded webhooks. The same seed gives the same hay.
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FileBody, fileBody } from '../../test/support/github/index.ts'

const MODULES = join(import.meta.dirname, '../../node_modules')
const DOCUMENTS = ['fastify/docs', 'undici/docs', 'pino/docs', 'ioredis/README.md']
const PROGRAMS = ['undici/lib', 'fastify/lib', 'pino/lib', 'ioredis/built']
const DESCRIPTION = '@octokit/openapi/generated/api.github.com.json'
const WEBHOOKS = '@octokit/webhooks-examples/api.github.com/index.json'

/** Characters below which a paragraph or a program is too little to hide in. */
const SHORTEST_PARAGRAPH = 60
const SHORTEST_PROGRAM = 2_500
/** Data in the form of a program. */
const LONG_LINE = /.{400}/

/** Whole numbers from 0 to below `below`; mulberry32. */
export type Random = (below: number) => number

export function createRandom(seed: number): Random {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits
    return ((((bits ^ (bits >>> 14)) >>> 0) * below) / 2 ** 32) | 0
  }
}

interface SourceFile {
  readonly path: string
  readonly text: string
}

function filesUnder(folders: readonly string[], ending: string): SourceFile[] {
  return folders
    .flatMap((folder) =>
      folder.endsWith(ending) ? [folder] : globSync(`${folder}/**/*${ending}`, { cwd: MODULES }),
    )
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(MODULES, path), 'utf8') }))
}

export const documents = (): SourceFile[] => filesUnder(DOCUMENTS, '.md')

export const programs = (): SourceFile[] =>
  filesUnder(PROGRAMS, '.js').filter(
    ({ text }) => text.length > SHORTEST_PROGRAM && !LONG_LINE.test(text),
  )

/** Paragraphs as people write them: code blocks are kept whole. */
export function paragraphs(): string[] {
  const written = documents().flatMap(({ text }) => text.split(/\n{2,}(?=\S)/))
  return [...written, ...textsIn(WEBHOOKS, ['body']), ...textsIn(DESCRIPTION, ['description'])]
    .map((text) => text.trim())
    .filter((text, at, all) => text.length >= SHORTEST_PARAGRAPH && all.indexOf(text, at + 1) < 0)
}

/** What these fields of a JSON document hold. */
function textsIn(path: string, fields: readonly string[]): string[] {
  const found = new Set<string>()
  JSON.parse(readFileSync(join(MODULES, path), 'utf8'), (name, value) => {
    if (typeof value === 'string' && fields.includes(name)) found.add(value)
    return value
  })
  return [...found]
}

/** One to three paragraphs that follow each other somewhere. */
export function remark(random: Random, from: readonly string[]): string {
  const start = random(from.length)
  return from.slice(start, start + 1 + random(3)).join('\n\n')
}

/** Hunks of a change to a program: some of its lines are new, some gone. */
export function hunksIn({ text }: SourceFile, count: number, random: Random): string[][] {
  const lines = text.split('\n')
  const step = Math.floor(lines.length / count)
  return Array.from({ length: count }, (_, number) => {
    const start = number * step + random(Math.max(1, step - 24))
    return lines
      .slice(start, start + Math.min(step, 10 + random(14)))
      .map((line, at, all) => `${at < 3 || at > all.length - 4 ? ' ' : signOf(random(5))}${line}`)
  })
}

const signOf = (number: number) => (number < 3 ? '+' : number === 3 ? '-' : ' ')

/** A changed file as GitHub lists it. */
export function changedFile(filename: string, hunks: readonly (readonly string[])[]): FileBody {
  const patch = hunks.map((lines, number) => {
    const count = (signs: string) => lines.filter((line) => signs.includes(line[0] ?? ' ')).length
    const at = 1 + number * 60
    return [`@@ -${at},${count(' -')} +${at},${count(' +')} @@`, ...lines].join('\n')
  })
  return fileBody({ filename, patch: patch.join('\n') })
}
