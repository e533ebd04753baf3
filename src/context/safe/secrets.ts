import { findPrivateKeys } from './privateKeys.ts'
import { SECRET_RULES, type SecretRule } from './secretRules.ts'

/** A text without its secrets, and how many there were. */
export interface Masked {
  readonly text: string
  readonly secrets: number
}

/** The password of an address with a user; never the digest of an image. */
const URL_PASSWORD =
  /(?<before>:\/\/(?<user>[^\s/?#:@"'`<>[\]{}]{0,128}):)(?<secret>[^\s/?#:@"'`<>[\]]{1,256})(?=@(?!sha(?:256|512):))/g
/** What stands for a password: a variable, stars, dots. */
const VARIABLE = /^(?:[$%{(*].*|\.{2,}.*|x+)$/i
/** What stands for a token in an example. */
const PLACEHOLDER = /x{4}|\*{3}|\.{3}|0{8}|example|placeholder|redacted|dummy|your[-_]/i

/** Of a line in a diff; the dashes around a key's name are none. */
const DIFF_SIGN = /^(?:[+ ]|-(?!----[BE]))/

const ANY_HINT = SECRET_RULES.flatMap(({ hints }) => hints)
  .join('|')
  .replaceAll('.', '\\.')
const HINT = new RegExp(ANY_HINT)
/** Looks ahead, because two may overlap; none begins another. */
const HINTS = new RegExp(`(?=(${ANY_HINT}))`, 'g')

interface Groups {
  readonly before: string
  readonly secret: string
  readonly user?: string
}

/**
 * Replaces what looks like a credential by a mark that says what it was: `[masked github token]`.
 * Variables, placeholders and examples stay, and so do digests, ids and images, which have none of
 * these forms. Applied again it changes nothing. Takes linear time.
 * @param keepLines whether a private key leaves as many lines as it had, each with its sign of a diff
 */
export function maskSecrets(source: string, keepLines: boolean): Masked {
  let secrets = 0
  const mark = (kind: string) => {
    secrets += 1
    return `[masked ${kind}]`
  }

  let text = maskPrivateKeys(source, keepLines, mark)
  for (const { kind, pattern } of rulesFor(text)) {
    text = text.replace(pattern, (match, ...rest) => {
      const { before, secret } = rest.at(-1) as Groups
      return PLACEHOLDER.test(secret) ? match : before + mark(kind)
    })
  }
  if (text.includes('@') && text.includes('://')) {
    text = text.replace(URL_PASSWORD, (match, ...rest) => {
      const { before, secret, user } = rest.at(-1) as Groups
      const shown = secret === user || VARIABLE.test(secret)
      return shown ? match : before + mark('password')
    })
  }
  return { text, secrets }
}

/** Those that can match: every hint is looked for at once. */
function rulesFor(text: string): readonly SecretRule[] {
  if (!HINT.test(text)) return []
  const hints = new Set(Array.from(text.matchAll(HINTS), ([, hint]) => hint))
  return SECRET_RULES.filter((rule) => rule.hints.some((hint) => hints.has(hint)))
}

function maskPrivateKeys(text: string, keepLines: boolean, mark: (kind: string) => string): string {
  if (!text.includes('PRIVATE KEY')) return text
  const parts: string[] = []
  let position = 0
  for (const { start, end } of findPrivateKeys(text)) {
    parts.push(text.slice(position, start), mark('private key'))
    if (keepLines) parts.push(emptied(text.slice(start, end)))
    // What follows on the last line does not begin it.
    if (keepLines && end < text.length && text[end] !== '\n') parts.push('…')
    position = end
  }
  return [...parts, text.slice(position)].join('')
}

/** The lines of a key after the first, with their signs of a diff: the lines of a hunk are counted. */
function emptied(key: string): string {
  const [, ...lines] = key.split('\n')
  return lines.map((line) => `\n${DIFF_SIGN.exec(line)?.[0] ?? ''}`).join('')
}
