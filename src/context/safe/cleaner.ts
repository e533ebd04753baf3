import type { TextKind } from '../../core/provider.ts'
import type { Removed } from '../../core/schemas.ts'
import { decodeFile } from './fileText.ts'
import { type LineEnd, reveal } from './hidden.ts'
import { removeComments } from './htmlComments.ts'
import { kindOfField, kindOfFile } from './kinds.ts'
import { isPlain, isVisible, mayHoldSecret } from './plain.ts'
import { maskSecrets } from './secrets.ts'

export interface TextOptions {
  /** The cleaned text has as many lines, each in its place. Always so for code. */
  readonly keepLines?: boolean
}

/** Cleans what others wrote, and counts what it removes. */
export interface Cleaner {
  text(value: string, kind: TextKind, options?: TextOptions): string
  /** All strings in parsed JSON, names of fields too. What is clean already is the same object. */
  data<T>(value: T): T
  /** A file's bytes, where they are text. Its lines stay in their places. */
  file(bytes: Buffer, path: string): Buffer
  /** How many of each kind so far, in the order of their names. No getter: see `createQueue`. */
  removed(): Removed
}

/** Deeper than anything that GitHub documents: what lies below is left out. */
const DEEPEST = 200
/** Global IDs in both of their formats (docs.github.com/graphql/guides/migrating-graphql-global-node-ids). */
const NODE_ID = /^(?:[A-Z]{1,8}_kw[\w-]+|MD[\w+/]+=*)$/
type Fields = Readonly<Record<string, unknown>>
/** Names of fields that need no cleaning: GitHub has a few hundred, and languages are names too. */
const plainNames = new Set<string>()
const MOST_NAMES = 2_000

/** What other ends of a line than `\n` become: an end in Markdown, else nothing that ends a line. */
function lineEndOf(kind: TextKind, keepLines: boolean): LineEnd {
  if (kind === 'line') return ' '
  return keepLines ? '␤' : '\n'
}

export function createCleaner(): Cleaner {
  const counts: Required<Removed> = {
    control_characters: 0,
    hidden_characters: 0,
    html_comments: 0,
    secrets: 0,
  }

  function clean(value: string, kind: TextKind, keepLines: boolean): string {
    const cleaned = isVisible(value) ? value : unhide(value, kind, keepLines)
    if (!mayHoldSecret(cleaned)) return cleaned
    const { text, secrets } = maskSecrets(cleaned, keepLines)
    counts.secrets += secrets
    return text
  }

  function unhide(value: string, kind: TextKind, keepLines: boolean): string {
    const revealed = reveal(value, lineEndOf(kind, keepLines))
    counts.control_characters += revealed.control
    counts.hidden_characters += revealed.hidden
    if (kind === 'code') return revealed.text
    const toTheEnd = kind === 'markdown'
    const { text, comments } = removeComments(revealed.text, { keepLines, toTheEnd })
    counts.html_comments += comments
    return text
  }

  function text(value: string, kind: TextKind, { keepLines = false }: TextOptions = {}): string {
    return isPlain(value) ? value : clean(value, kind, keepLines || kind !== 'markdown')
  }

  function file(bytes: Buffer, path: string): Buffer {
    const source = decodeFile(bytes)
    if (!source) return bytes
    const cleaned = text(source.text, kindOfFile(path), { keepLines: true })
    return cleaned === source.text ? bytes : source.encode(cleaned)
  }

  function any(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return text(value, 'markdown')
    if (typeof value !== 'object' || value === null) return value
    if (depth > DEEPEST) return null
    return Array.isArray(value) ? list(value, depth) : record(value as Fields, depth)
  }
  function list(values: readonly unknown[], depth: number): readonly unknown[] {
    let cleaned: unknown[] | undefined
    for (let i = 0; i < values.length; i++) {
      const value = any(values[i], depth + 1)
      if (value === values[i]) continue
      cleaned ??= [...values]
      cleaned[i] = value
    }
    return cleaned ?? values
  }

  function record(fields: Fields, depth: number): Fields {
    let cleaned: Record<string, unknown> | undefined
    let renamed: Map<string, string> | undefined
    for (const name in fields) {
      const source = fields[name]
      const value =
        typeof source === 'string' ? field(name, source, fields) : any(source, depth + 1)
      if (value !== source) {
        cleaned ??= { ...fields }
        cleaned[name] = value
      }
      if (plainNames.has(name)) continue
      const plain = text(name, 'line')
      if (plain === name) {
        if (plainNames.size < MOST_NAMES) plainNames.add(name)
        continue
      }
      renamed ??= new Map()
      renamed.set(name, plain)
    }
    if (!renamed) return cleaned ?? fields
    const names = renamed
    const entries = Object.entries(cleaned ?? fields)
    return Object.fromEntries(entries.map(([name, value]) => [names.get(name) ?? name, value]))
  }

  function field(name: string, source: string, fields: Fields): string {
    // GitHub's own names for things, letters and digits: each looks as if it might be a secret.
    if (name === 'node_id' && NODE_ID.test(source)) return source
    if (name === 'content' && fields.encoding === 'base64') return base64(source, fields)
    if (isPlain(source)) return source
    const kind = kindOfField(name, fields)
    return clean(source, kind, kind !== 'markdown')
  }

  /** As GitHub sends the contents of files and blobs. */
  function base64(source: string, { path }: Fields): string {
    const bytes = Buffer.from(source, 'base64')
    const cleaned = file(bytes, typeof path === 'string' ? path : '')
    return cleaned === bytes ? source : cleaned.toString('base64')
  }

  return {
    text,
    file,
    data: <T>(value: T) => any(value, 0) as T,
    removed: () => Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
  }
}
