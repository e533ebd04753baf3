import { describe, expect, it } from 'vitest'
import { createCleaner } from '../../../src/context/safe/cleaner.ts'
import { SECRETS } from '../../support/secrets.ts'

const MEGABYTE = 1 << 20
const KEY = '-----BEGIN RSA PRIVATE KEY-----'

/** Of the processor, not by the clock: the machine may be busy. */
function millisecondsOf(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

const least = (runs: number, work: () => number) => Math.min(...Array.from({ length: runs }, work))

/** What makes patterns look again and again at the same characters. */
const REPEATED = [
  ...['<!--', '<!-', '<!<!-- -->--', '-->', '--!>', '<', '\n<!--', '> - 1. <!--', '[^a]: '],
  ...[
    KEY,
    KEY.replace('BEGIN', 'END'),
    `${KEY}\nAAAA\n`,
    '-----BEGIN ',
    'MIIEowIBAAKCAQEA',
    '-----',
  ],
  ...[
    '://',
    '://a:',
    '://a:b',
    '://a:b@',
    'a:b@',
    '@',
    '=',
    '_',
    '-',
    '.',
    'a',
    'A1',
    '0',
    ' ',
    '\n',
    '\\n',
  ],
  ...[
    'a\u200B',
    '\u200D',
    '👩\u200D',
    '1\uFE0F',
    'क्\u200D',
    '\uE000',
    '\uD800',
    '\x1B[',
    '\x1B[1;',
    '\r',
  ],
  ...[
    'eyJA-----',
    'eyJaaaaaaaaaaaa.',
    'sk-',
    'sk-a',
    'sk-proj-',
    'authorization: bearer ',
    '_authToken=',
  ],
  ...new Set(SECRETS.map(({ before = '', secret }) => before + secret.slice(0, 6))),
]

describe('a megabyte', () => {
  it.each(REPEATED)('of nothing but %j is cleaned in its own time', (piece) => {
    const text = piece.repeat(MEGABYTE / piece.length)
    for (const kind of ['markdown', 'code'] as const) {
      // As measured: 400 ms for the slowest; a pattern that looks twice at each pair takes minutes.
      expect(millisecondsOf(() => createCleaner().text(text, kind))).toBeLessThan(4_000)
    }
  })
})

describe('a thousand comments', () => {
  it('that are clean cost little more than it took to parse them', () => {
    const json = JSON.stringify(Array.from({ length: 1_000 }, (_, i) => comment(i)))
    // By turns: a machine that others use changes from one moment to the next.
    const times = least(9, () => {
      let data: unknown
      const parse = millisecondsOf(() => {
        data = JSON.parse(json)
      })
      return millisecondsOf(() => expect(createCleaner().data(data)).toBe(data)) / parse
    })
    // As measured: 1.3 to 1.5 times; with every branch counted for the coverage, 4 to 7 times.
    expect(times).toBeLessThan(12)
  })
})

/** 80 fields, most of them addresses, as GitHub sends them. */
function comment(id: number) {
  const api = `https://api.github.com/users/user${id}`
  const addresses = Array.from({ length: 60 }, (_, i) => [
    `field${i}_url`,
    `${api}/events/${i}{/more}`,
  ])
  const more = Array.from({ length: 18 }, (_, i) => [
    `field${i}`,
    i % 3 ? i : `value ${i} of ${id}`,
  ])
  const body = 'The parser fails when a file has no line at its end, see `parse()` in #12. '.repeat(
    14,
  )
  return { id, body, ...Object.fromEntries([...addresses, ...more]) }
}
