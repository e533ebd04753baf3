import { findPrivateKeys } from './privateKeys.ts'
import { SECRET_RULES } from './secretRules.ts'

/** A text without its secrets, and how many there were. */
export interface Masked {
  readonly text: string
  readonly secrets: number
}

/** The password of an address with a user; never the digest of an image. */
const URL_PASSWORD =
  /(?<before>:\/\/(?<user>[^\s/?#:@"'`<>[\]{}]{0,128}):)(?<secret>[^\s/?#:@"'`<>[\]]{1,256})(?=@(?!sha(?:256|512):)(?<host>[^\s/?#:"'`<>\\]{0,255}))/g
/** Where nothing is to be protected: this machine, and names kept for examples (RFC 2606, RFC 6761). */
const NOWHERE =
  /^(?:localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|(?:.*\.)?(?:localhost|example|test|invalid|example\.(?:com|net|org)))$/i
/** What stands for a password: a variable, stars, dots. */
const VARIABLE = /^(?:[$%{(*].*|\.{2,}.*|x+)$/i
/** What stands for a token. */
const PLACEHOLDER =
  /x{4}|\*{3}|\.{3}|0{6}|123456789|987654321|abcdef|example|placeholder|redacted|dummy|your[-_]/i
const LEAST_DIFFERENT = 8
/** The payload with which jwt.io and many documents show a token: `sub` 1234567890. */
const SAMPLE_PAYLOAD = '.eyJzdWIiOiIxMjM0NTY3ODkw'

interface Groups {
  readonly before: string
  readonly secret: string
  readonly user?: string
  readonly host?: string
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
  for (const { kind, hints, pattern } of SECRET_RULES) {
    if (!hints.some((hint) => text.includes(hint))) continue
    text = text.replace(pattern, (match, ...rest) => {
      const { before, secret } = rest.at(-1) as Groups
      return isPlaceholder(secret) ? match : before + mark(kind)
    })
  }
  if (text.includes('@') && text.includes('://')) {
    text = text.replace(URL_PASSWORD, (match, ...rest) => {
      const { before, secret, user, host = '' } = rest.at(-1) as Groups
      const shown = secret === user || NOWHERE.test(host) || VARIABLE.test(secret)
      return shown ? match : before + mark('password')
    })
  }
  return { text, secrets }
}

function isPlaceholder(secret: string): boolean {
  return (
    new Set(secret).size < LEAST_DIFFERENT ||
    PLACEHOLDER.test(secret) ||
    secret.includes(SAMPLE_PAYLOAD)
  )
}

function maskPrivateKeys(text: string, keepLines: boolean, mark: (kind: string) => string): string {
  if (!text.includes('PRIVATE KEY')) return text
  const parts: string[] = []
  let position = 0
  for (const { start, end } of findPrivateKeys(text)) {
    const [, ...lines] = text.slice(start, end).split('\n')
    // Signs of a diff stay: the lines of a hunk are counted.
    const rest = keepLines ? lines.map((line) => `\n${/^[+ -]?/.exec(line)?.[0] ?? ''}`) : []
    parts.push(text.slice(position, start), mark('private key'), ...rest)
    position = end
  }
  return [...parts, text.slice(position)].join('')
}
