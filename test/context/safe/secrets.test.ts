import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mayHoldSecret } from '../../../src/context/safe/plain.ts'
import { SECRET_RULES } from '../../../src/context/safe/secretRules.ts'
import { maskSecrets } from '../../../src/context/safe/secrets.ts'
import { hostileSecrets, hostileText } from '../../support/hostile.ts'
import { privateKey, SECRETS } from '../../support/secrets.ts'

const mask = (text: string) => maskSecrets(text, false)
const inCode = (text: string) => maskSecrets(text, true).text

describe('maskSecrets', () => {
  it.each(SECRETS)('masks: $kind $before', ({ kind, secret, before = '', after = '' }) => {
    const contexts = ['%', 'See %, and more.', 'a\n%\nb', `export T='%'`, '\\n%\\n', '`%`', '+%']
    for (const context of contexts) {
      const text = context.replace('%', () => before + secret + after)
      const masked = context.replace('%', () => `${before}[masked ${kind}]${after}`)
      expect(mask(text)).toEqual({ text: masked, secrets: 1 })
      // What is passed over without a look is without a secret.
      expect(mayHoldSecret(text)).toBe(true)
    }
  })

  it('masks all of many, each for itself', () => {
    const text = SECRETS.map(({ secret, before = '', after = '' }) => before + secret + after)
    const { secrets, text: masked } = mask(text.join('\n'))
    expect(secrets).toBe(SECRETS.length)
    for (const { secret } of SECRETS) expect(masked).not.toContain(secret)
    expect(masked.split('\n')).toHaveLength(SECRETS.length)
  })

  it.each([
    ['a commit', '83f9c3f0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6'],
    ['a UUID', '550e8400-e29b-41d4-a716-446655440000'],
    ['the integrity of a package', `"integrity": "sha512-${randomBytes(64).toString('base64')}"`],
    ['an image', `![](data:image/png;base64,${randomBytes(3_000).toString('base64')})`],
    ['the digest of an image', `docker://alpine:3.8@sha256:${'a1b2c3d4'.repeat(8)}`],
    ['a node id', 'MDU6SXNzdWUxMjM0NTY3ODk= I_kwDOAJy2Ks5T1z4v PR_kwDOABCD5M4'],
    ['a placeholder of a token', `ghp_${'x'.repeat(36)} sk-${'X'.repeat(48)}`],
    ["Amazon's example", 'AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
    ['variables', 'https://me:$TOKEN@h https://me:$T@h https://%U%:%P%@h _authToken=$NPM_TOKEN'],
    ['a password that stands for itself', 'postgres://postgres:postgres@localhost:5432/db'],
    ['stars', 'https://me:****@host Authorization: Bearer ***'],
    ['a header in a document', 'Authorization: Bearer YOUR-ACCESS-TOKEN-GOES-HERE-1'],
    [
      'addresses without a password',
      'git@github.com:o/r.git ssh://git@h/x https://h:8080/a@b c@d.e',
    ],
    ['names in code', 'sk-fading-circle gho_handler npm_config_user_agent hf_transformers xoxb-'],
    ['a public key', privateKey('PUBLIC')],
    ['a certificate', privateKey('x').replaceAll('x KEY', 'CERTIFICATE')],
    ['a private key in a document', '-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----'],
    ['talk of private keys', 'It begins with -----BEGIN PRIVATE KEY----- and then comes the key.'],
  ])('leaves %s', (_what, text) => {
    expect(mask(text)).toEqual({ text, secrets: 0 })
  })

  it('finds each rule by its own hints', () => {
    const hints = [...new Set(SECRET_RULES.flatMap((rule) => rule.hints))]
    for (const hint of hints) {
      expect(hints.filter((other) => other !== hint && other.startsWith(hint))).toEqual([])
    }
  })

  it('leaves what only looks like a token inside a longer word', () => {
    const [token] = SECRETS.filter(({ kind }) => kind === 'aws access key id')
    const text = `QUJD${token?.secret}REVG`
    expect(mask(text)).toEqual({ text, secrets: 0 })
  })
})

describe('private keys', () => {
  const key = privateKey()
  const half = key.slice(0, 700)

  it.each([
    ['whole', `a\n${key}\nb`, 'a\n[masked private key]\nb'],
    ['of OpenSSH', `${privateKey('OPENSSH PRIVATE')}`, '[masked private key]'],
    ['of PKCS #8, encrypted', `${privateKey('ENCRYPTED PRIVATE')}`, '[masked private key]'],
    [
      'in one line of JSON',
      JSON.stringify({ key: `${key}\n` }),
      '{"key":"[masked private key]\\n"}',
    ],
    [
      'with headers',
      key.replace('\n', '\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123\n\n'),
      '[masked private key]',
    ],
    [
      'of which only the start is there',
      `a\n${half}\nWords follow.`,
      'a\n[masked private key]\nWords follow.',
    ],
    ['of which only the start and nothing else is there', half, '[masked private key]'],
    [
      'of which only the end is there',
      `Words.\n${key.slice(-700)}\nb`,
      'Words.\n[masked private key]\nb',
    ],
    ['that is quoted', key.replaceAll(/^/gm, '> '), '> [masked private key]'],
    ['two of them', `${key}\nand\n${key}`, '[masked private key]\nand\n[masked private key]'],
    ['that begins twice', `${half}\n${key}`, '[masked private key]\n[masked private key]'],
  ])('are masked: %s', (_what, text, expected) => {
    expect(mask(text).text).toBe(expected)
    expect(mask(text).secrets).toBe(expected.split('[masked').length - 1)
  })

  it('of PGP are masked', () => {
    const text = privateKey('PGP PRIVATE')
      .replaceAll(' KEY-', ' KEY BLOCK-')
      .replace('==', '\n=Ab1C')
    expect(mask(`a ${text} b`).text).toBe('a [masked private key] b')
  })

  it('leave their lines in code, with the signs of a diff', () => {
    const lines = key.split('\n')
    const patch = [
      '@@ -1 +1 @@',
      ' a',
      ...lines.map((line) => `+${line}`),
      ...lines.map((line) => `-${line}`),
      ' b',
    ]
    expect(inCode(patch.join('\n')).split('\n')).toEqual([
      '@@ -1 +1 @@',
      ' a',
      '+[masked private key]',
      ...lines.slice(1).map(() => '+'),
      '-[masked private key]',
      ...lines.slice(1).map(() => '-'),
      ' b',
    ])
    const text = `a\n${key} b\nc`
    expect(inCode(text)).toBe(`a\n[masked private key]${'\n'.repeat(lines.length - 1)}… b\nc`)
  })
})

describe('any text', () => {
  const text = fc.oneof(hostileSecrets, hostileText)

  it('has no secret when it is masked again', () => {
    fc.assert(
      fc.property(text, fc.boolean(), (source, keepLines) => {
        const once = maskSecrets(source, keepLines).text
        expect(maskSecrets(once, keepLines)).toEqual({ text: once, secrets: 0 })
      }),
      { numRuns: 5_000 },
    )
  })

  it('has as many lines, when they are kept', () => {
    fc.assert(
      fc.property(text, (source) => {
        expect(inCode(source).split('\n')).toHaveLength(source.split('\n').length)
      }),
      { numRuns: 2_000 },
    )
  })

  it('that is passed over has no secret', () => {
    fc.assert(
      fc.property(text, (source) => {
        fc.pre(!mayHoldSecret(source))
        expect(mask(source)).toEqual({ text: source, secrets: 0 })
      }),
      { numRuns: 3_000 },
    )
  })
})
