import fc from 'fast-check'
import { privateKey, SECRETS } from './secrets.ts'

/** What attacks on text cleaning are put together from; each piece is harmless or not by what is beside it. */
const MARKUP = [
  '<!--',
  '<!-',
  '<!',
  '<',
  '-->',
  '->',
  '--!>',
  '--',
  '-',
  '!',
  '>',
  '<div>',
  '> ',
  '- ',
]
const PLAIN = [
  'a',
  'ab',
  ' ',
  '0',
  '1',
  '#',
  '+',
  '=',
  '_',
  '/',
  '.',
  ':',
  '@',
  '~',
  '"',
  '\\',
  '\\n',
]
const LINE_ENDS = ['\n', '\r\n', '\r', '\v', '\f', '\x85', '\u2028', '\u2029']
const HIDDEN = [
  ...['\u200B', '\u200C', '\u200D', '\u200E', '\u202E', '\u2066', '\u2069', '\uFEFF', '\u00AD'],
  ...['\uFE0E', '\uFE0F', '\u{E0100}', '\u{E0001}', '\u{E0041}', '\u3164', '\u180E', '\uFFF9'],
  ...['\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}', '\uE000', '\u{F0000}'],
  ...['\uD800', '\uDC00', '\uFFFE', '\0', '\x1B', '\x1B[', '31m', '\x9B', '\x7F'],
]
const SHAPED = ['\u{1F3F4}', '👩', '🏽', '❤', '©', '\u20E3', 'م', 'ی', 'क', '\u094D', 'র', '\u09CD']
const STARTS = SECRETS.map(({ before = '', secret }) => before + secret.slice(0, 12))
const RUNS = [8, 16, 20, 36, 40, 64].map((length) =>
  'Zq3xW7kP9mB2vN5cR8tY1uJ4hL6gF0dSa'.repeat(2).slice(0, length),
)
const KEYS = ['-----BEGIN RSA PRIVATE KEY-----', '-----END RSA PRIVATE KEY-----', '-----']

const joined = (pieces: readonly string[]) =>
  fc.array(fc.constantFrom(...pieces), { maxLength: 24 }).map((chosen) => chosen.join(''))

export const hostileMarkup = joined([...MARKUP, ...LINE_ENDS, ...PLAIN])
export const hostileCharacters = joined([
  ...HIDDEN,
  ...SHAPED,
  ...LINE_ENDS,
  'a',
  '1',
  '-',
  '<',
  '>',
])
export const hostileSecrets = joined([
  ...STARTS,
  ...RUNS,
  ...KEYS,
  ...PLAIN,
  '\n',
  '<!--',
  '-->',
  '\u200B',
  'xxxx',
  '[masked github token]',
])

/** All of them, whole secrets too, and texts of any characters. */
export const hostileText = fc.oneof(
  hostileMarkup,
  hostileCharacters,
  hostileSecrets,
  joined([
    ...MARKUP,
    ...LINE_ENDS,
    ...HIDDEN,
    ...SHAPED,
    ...SECRETS.map(({ before = '', secret, after = '' }) => before + secret + after),
    privateKey('EC PRIVATE', 2),
  ]),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
)
