/** Secrets that nobody has, put together here so that no scanner takes this file for a leak. */

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const LOWER = LETTERS.toLowerCase()
const DIGITS = '0123456789'
const HEX = `${DIGITS}abcdef`
const WORD = LETTERS + LOWER + DIGITS
const BASE64 = `${WORD}+/`

/** Characters in an order that repeats only after a long time. */
function some(count: number, of: string, seed = 7): string {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (state * 48_271) % 2_147_483_647
    return of.charAt(state % of.length)
  }).join('')
}

export interface Secret {
  /** As the mark in its place names it. */
  readonly kind: string
  readonly secret: string
  /** What it needs around itself to be known for one; stays. */
  readonly before?: string
  readonly after?: string
}

const word = (kind: string, secret: string): Secret => ({ kind, secret })
const assigned = (kind: string, before: string, secret: string): Secret => ({
  kind,
  before,
  secret,
})

export const SECRETS: readonly Secret[] = [
  ...['p', 'o', 'u', 's', 'r'].map((of) => word('github token', `gh${of}_${some(36, WORD)}`)),
  word(
    'github token',
    `ghs_${'12345'}_eyJ${some(40, WORD)}.eyJ${some(200, WORD)}.${some(86, WORD)}`,
  ),
  word('github token', `github_${'pat'}_${some(22, WORD)}_${some(59, WORD)}`),
  word('gitlab token', `glpat-${some(20, WORD)}`),
  word('aws access key id', `AKIA${some(16, `${LETTERS}234567`)}`),
  word('aws access key id', `ASIA${some(16, `${LETTERS}234567`)}`),
  assigned('aws secret key', 'aws_secret_access_key = ', some(40, BASE64)),
  assigned('aws secret key', '"SecretAccessKey": "', some(40, BASE64, 9)),
  assigned('aws session token', 'AWS_SESSION_TOKEN=', `${some(300, BASE64)}==`),
  word('google api key', `AIza${some(35, WORD)}`),
  word('google secret', `GOCSPX-${some(28, WORD)}`),
  word('google token', `ya29.${some(120, WORD)}`),
  assigned('azure key', 'AccountName=a;AccountKey=', `${some(86, BASE64)}==`),
  word('azure secret', `${some(3, WORD)}8Q~${some(34, WORD)}`),
  word('slack token', `xoxb-${some(12, DIGITS)}-${some(12, DIGITS)}-${some(24, WORD)}`),
  word('slack token', `xapp-1-${some(11, LETTERS)}-${some(13, DIGITS)}-${some(64, HEX)}`),
  assigned(
    'slack webhook',
    'https://hooks.slack.com/services/',
    `T${some(9, LETTERS)}/B${some(9, LETTERS)}/${some(24, WORD)}`,
  ),
  assigned('discord webhook', 'https://discord.com/api/webhooks/123456789012/', some(68, WORD)),
  word('stripe key', `sk_${'live'}_${some(24, WORD)}`),
  word('stripe key', `rk_${'test'}_${some(24, WORD)}`),
  word('anthropic key', `sk-ant-${'api03'}-${some(93, WORD)}AA`),
  word('openai key', `sk-${some(20, WORD)}T3BlbkFJ${some(20, WORD)}`),
  word('openai key', `sk-${'proj'}-${some(74, WORD)}T3BlbkFJ${some(74, WORD)}`),
  word('npm token', `npm_${some(36, WORD)}`),
  assigned('npm token', '//r.io/:_authToken=', `${some(8, HEX)}-1f2e-4d3c-8b9a-${some(12, HEX)}`),
  assigned('password', '//r.io/:_auth=', `${some(30, WORD)}==`),
  word('pypi token', `pypi-AgEIcHlwaS5vcmc${some(120, WORD)}`),
  word('docker token', `dckr_${'pat'}_${some(27, WORD)}`),
  word('hugging face token', `hf_${some(34, WORD)}`),
  word('sendgrid key', `SG.${some(22, WORD)}.${some(43, WORD)}`),
  word('twilio key', `SK${some(32, HEX)}`),
  word('telegram token', `${some(9, DIGITS)}:AA${some(33, WORD)}`),
  word('digitalocean token', `dop_v1_${some(64, HEX)}`),
  word('shopify token', `shpat_${some(32, HEX)}`),
  word('vault token', `hvs.${some(90, WORD)}`),
  word('atlassian token', `ATATT3${some(180, WORD)}=${some(8, HEX)}`),
  word('age key', `AGE-SECRET-KEY-1${some(58, LETTERS)}`),
  word('json web token', `eyJ${some(17, WORD)}.eyJ${some(60, WORD)}.${some(43, WORD)}`),
  assigned('authorization', 'Authorization: Bearer ', some(40, WORD)),
  assigned('authorization', '"authorization": "basic ', `${some(28, WORD)}==`),
  { kind: 'password', before: 'https://me:', secret: 'correct-horse', after: '@git.internal/x' },
  { kind: 'password', before: 'postgres://app:', secret: 'hunter2', after: '@db:5432/x' },
]

/** @param kind as in PEM, for example `RSA PRIVATE` */
export function privateKey(kind = 'RSA PRIVATE', lines = 24): string {
  const body = Array.from({ length: lines }, (_, i) => some(64, BASE64, i + 3))
  return [
    `-----BEGIN ${kind} KEY-----`,
    ...body,
    `${some(20, WORD)}==`,
    `-----END ${kind} KEY-----`,
  ].join('\n')
}
