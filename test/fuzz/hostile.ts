import type { Random } from './random.ts'

/** Texts that break what was not made for them. */
const ODDITIES: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '\udc00\ud800',
  '\u202egnp.exe',
  '\u200b\u200d\ufeff',
  'e\u0301'.repeat(50),
  '\u{10ffff}',
  '../../../../etc/passwd',
  '..%2f..%2f',
  '....//',
  '\\\\server\\share',
  'a/../b',
  '%00',
  '%zz',
  '%',
  '{{7*7}}',
  "' OR '1'='1",
  '<script>alert(1)</script>',
  '#{jndi:ldap://evil.example/a}',
  'a\r\nX-Injected: 1',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  '-0',
  '1e999',
  '0x10',
  '9'.repeat(400),
  'a'.repeat(5_000),
  '('.repeat(500),
  'https://169.254.169.254/latest/meta-data',
  'file:///etc/passwd',
  'https://github.com@evil.example/a/b',
  'https://github.com/octocat/Hello-World/../../x',
]

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  -0,
  0.1,
  1e21,
  Number.MAX_SAFE_INTEGER + 2,
  -1e308,
  [],
  {},
  [[[]]],
  { $ref: '#' },
  JSON.parse('{"__proto__":{"polluted":true}}'),
  JSON.parse('{"constructor":{"prototype":{"polluted":true}}}'),
  Array.from({ length: 60 }, () => ({})),
]

const NAMES = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', '', 'x', '💥']

export function oddText(random: Random): string {
  return random.pick(ODDITIES)
}

function oddValue(random: Random): unknown {
  return random.chance(0.5) ? oddText(random) : random.pick(VALUES)
}

type Json = Record<string, unknown> | unknown[]

const isContainer = (value: unknown): value is Json => typeof value === 'object' && value !== null

/** One thing about the value is changed: something missing, unknown, of another type, or odd. */
export function spoil(value: unknown, random: Random): unknown {
  if (!isContainer(value) || random.chance(0.05)) return oddValue(random)
  const places = placesIn(value)
  const copy = structuredClone(value)
  const path = random.pick([[], ...places])
  const holder = path.slice(0, -1).reduce<unknown>((at, key) => (at as never)[key], copy) as Json
  const last = path.at(-1)
  if (last === undefined) return withMore(copy, random)
  if (random.chance(0.25)) remove(holder, last)
  else put(holder, last, oddValue(random))
  return copy
}

/** The ways to everything within. */
function placesIn(value: Json, at: readonly string[] = []): (readonly string[])[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = [...at, key]
    return isContainer(inner) ? [path, ...placesIn(inner, path)] : [path]
  })
}

function withMore(value: Json, random: Random): Json {
  if (Array.isArray(value)) return [...value, oddValue(random)]
  put(value, random.pick(NAMES), oddValue(random))
  return value
}

/** An own property, whatever its name. */
function put(holder: Json, key: string, value: unknown): void {
  Object.defineProperty(holder, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}

function remove(holder: Json, key: string): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else delete holder[key]
}

const DEPTH = 20_000

/** Bodies that are no JSON, or more of it than anybody needs. */
export function oddBody(good: string, random: Random): string | Buffer {
  return random.pick<() => string | Buffer>([
    () => '',
    () => good.slice(0, random.int(good.length + 1)),
    () => `${good}${good}`,
    () => `\ufeff${good}`,
    () => good.replaceAll('"', "'"),
    () => '['.repeat(DEPTH),
    () => `${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`,
    () => `{"params":${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}}`,
    () => good.replace('{', '{"__proto__":{"x":1},'),
    () => good.replace('{', '{"context_type":"github_repo","context_type":"github_issue",'),
    () => Buffer.from([0xff, 0xfe, 0x00, 0xd8]),
    () => Buffer.concat([Buffer.from(good), Buffer.from([0xc3])]),
    () => Buffer.from(good, 'utf16le'),
    () => JSON.stringify({ user_input: 'x'.repeat(300 * 1024), requests: [] }),
    () => JSON.stringify(JSON.stringify(good)),
    () => 'NaN',
    () => '1e999',
    () => '"\\ud800"',
  ])()
}

export const ODD_TYPES: readonly string[] = [
  'text/plain',
  'application/xml',
  'application/json; charset=utf-16',
  'application/json; charset="',
  'application/jsonx',
  'APPLICATION/JSON',
  'multipart/form-data',
  'application/x-www-form-urlencoded',
  '',
  ';',
  'a'.repeat(3_000),
]

/** By name; a list is the same header again and again. */
export const ODD_HEADERS: readonly (readonly [string, string | string[]])[] = [
  ['accept', 'application/xml'],
  ['accept', '*/*;q=0'],
  ['accept', ','.repeat(1_000)],
  ['accept', 'text/markdown;q=0.5, application/json;q=bad'],
  ['accept', 'text/event-stream'],
  ['x-github-token', 'ghp_nobodynobodynobodynobodynobody0000'],
  ['x-github-token', ['one', 'two']],
  ['x-github-token', 'a b'],
  ['x-github-token', '../../x'],
  ['x-request-id', 'x'.repeat(2_000)],
  ['x-request-id', ['a', 'b']],
  ['if-none-match', '"'.repeat(999)],
  ['if-none-match', '*'],
  ['authorization', 'Bearer'],
  ['authorization', 'Basic Og=='],
  ['authorization', 'Bearer a.b.c'],
  ['x-api-key', 'wrong-wrong-wrong-wrong'],
  ['x-forwarded-for', '1.2.3.4, ::1, evil'],
  ['origin', 'https://evil.example'],
  ['origin', 'null'],
  ['host', 'evil.example'],
  ['content-encoding', 'gzip'],
  ['expect', '200-ok'],
  ['range', 'bytes=0-1'],
  ['traceparent', '00-zz'],
]
