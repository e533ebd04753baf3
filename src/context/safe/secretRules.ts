/** What a kind of credential looks like. */
export interface SecretRule {
  /** Named in the mark that replaces it. */
  readonly kind: string
  /** One of them is in every text that the pattern matches: all are looked for at once, first. */
  readonly hints: readonly string[]
  /** Global. Its group `before` stays, its group `secret` is masked. */
  readonly pattern: RegExp
}

/** Not inside a word; the letter of an escaped line break is no part of one. */
const WORD_START = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))`
/** Not inside a run of a token's characters either: so no two of them begin in one run. */
const RUN_START = String.raw`(?:(?<![\w-])|(?<=\\[nrt]))`
const WORD_END = '(?![A-Za-z0-9])'
/** Between a name and its value: `=`, `:`, `=>`, quotes around both. */
const ASSIGNED = String.raw`["'${'`'}]?\s{0,4}(?:=>|:=|[=:])\s{0,4}["'${'`'}]?`

/** Of what follows, without a break: see `mayHoldSecret`. */
const LONG_RUN = String.raw`(?=[\w.~+/=-]{0,80}[\w-]{20})`

const AUTHORIZATION = ['authorization', 'Authorization']

const token = (
  kind: string,
  hints: readonly string[],
  pattern: string,
  start = WORD_START,
): SecretRule => ({
  kind,
  hints,
  pattern: new RegExp(`(?<before>${start})(?<secret>${pattern})${WORD_END}`, 'g'),
})

const after = (
  kind: string,
  hints: readonly string[],
  before: string,
  pattern: string,
): SecretRule => ({
  kind,
  hints,
  // A name inside of a value that is passed over would be found only the next time.
  pattern: new RegExp(`(?<before>${WORD_START}${before})(?<secret>${pattern})`, 'g'),
})

/**
 * Formats as their issuers publish them and as gitleaks and secretlint list them. Every pattern
 * takes time in proportion to the text: what repeats is bounded, or cannot begin twice in a run.
 */
export const SECRET_RULES: readonly SecretRule[] = [
  // docs.github.com/authentication "GitHub's token formats"; installation tokens may hold a JWT.
  token(
    'github token',
    ['ghs_'],
    String.raw`ghs_[A-Za-z0-9]{1,40}_eyJ[\w-]{10,}(?:\.[\w-]{10,}){0,2}`,
  ),
  token('github token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], 'gh[pousr]_[A-Za-z0-9]{36,}'),
  token('github token', ['github_pat_'], 'github_pat_[A-Za-z0-9]{22,}(?:_[A-Za-z0-9]*)?'),
  token(
    'gitlab token',
    [
      'glagent-',
      'glcbt-',
      'gldt-',
      'glffct-',
      'glft-',
      'glimt-',
      'gloas-',
      'glpat-',
      'glptt-',
      'glrt-',
      'glsoat-',
    ],
    String.raw`gl(?:agent|cbt|dt|ffct|ft|imt|oas|pat|ptt|rt|soat)-[\w-]{20,}(?:\.[\w-]{2,}){0,2}`,
  ),
  // docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
  token(
    'aws access key id',
    ['AKIA', 'ASIA', 'ABIA', 'ACCA'],
    '(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}',
  ),
  after(
    'aws secret key',
    ['ecret_access_key', 'ECRET_ACCESS_KEY', 'ecretAccessKey'],
    `(?:aws_secret_access_key|AWS_SECRET_ACCESS_KEY|(?:aws|AWS)?[Ss]ecretAccessKey)${ASSIGNED}`,
    '[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])',
  ),
  after(
    'aws session token',
    ['aws_session_token', 'AWS_SESSION_TOKEN', 'essionToken'],
    `(?:aws_session_token|AWS_SESSION_TOKEN|(?:aws|AWS)?[Ss]essionToken)${ASSIGNED}`,
    `${LONG_RUN}[A-Za-z0-9/+]{100,}={0,2}`,
  ),
  token('google api key', ['AIza'], String.raw`AIza[\w-]{35}`),
  token('google secret', ['GOCSPX-'], String.raw`GOCSPX-[\w-]{28}`),
  token('google token', ['ya29.'], String.raw`ya29\.[\w-]{30,}`),
  after('azure key', ['Key='], '(?:Account|SharedAccess)Key=', '[A-Za-z0-9+/]{43,86}={1,2}'),
  token('azure secret', ['Q~'], String.raw`[A-Za-z0-9_~.]{3}\dQ~${LONG_RUN}[\w~.-]{31,34}`),
  token(
    'slack token',
    ['xox', 'xapp-'],
    String.raw`(?:xox[abeoprs]-|xapp-\d-|xoxe\.xox[bp]-\d-)[A-Za-z0-9-]{16,}`,
  ),
  after(
    'slack webhook',
    ['hooks.slack.com/'],
    String.raw`hooks\.slack\.com/(?:services|triggers|workflows)/`,
    '[A-Z0-9]{8,13}/[A-Z0-9]{8,13}/[A-Za-z0-9]{20,}',
  ),
  after(
    'discord webhook',
    ['/webhooks/'],
    String.raw`discord(?:app)?\.com/api/webhooks/\d{1,25}/`,
    String.raw`[\w-]{40,}`,
  ),
  token(
    'stripe key',
    ['k_live_', 'k_test_', 'k_prod_'],
    '[rs]k_(?:live|test|prod)_[A-Za-z0-9]{16,}',
  ),
  // docs.anthropic.com, platform.openai.com; others' models take the same form.
  token('anthropic key', ['sk-'], String.raw`sk-ant-[a-z]{3,8}\d{2}-[\w-]{40,}`, RUN_START),
  token(
    'openai key',
    ['sk-'],
    String.raw`sk-(?=[\w-]*\d)(?:[A-Za-z]{2,8}(?:-v\d)?-[\w-]{32,}|[A-Za-z0-9]{32,64})`,
    RUN_START,
  ),
  token('npm token', ['npm_'], 'npm_[A-Za-z0-9]{36}'),
  after(
    'npm token',
    ['_auth'],
    String.raw`_authToken\s{0,3}=\s{0,3}["']?`,
    String.raw`${LONG_RUN}[\w.+/=-]+`,
  ),
  after(
    'password',
    ['_auth', ':_password'],
    String.raw`:_(?:auth|password)\s{0,3}=\s{0,3}["']?`,
    `${LONG_RUN}[A-Za-z0-9+/=]+`,
  ),
  token('pypi token', ['pypi-'], String.raw`pypi-AgE[\w-]{50,}`),
  token('docker token', ['dckr_'], String.raw`dckr_[po]at_[\w-]{27,}`),
  token('hugging face token', ['hf_'], 'hf_[A-Za-z0-9]{34,}'),
  token('sendgrid key', ['SG.'], String.raw`SG\.[\w-]{22}\.[\w-]{43}`),
  token('twilio key', ['SK'], 'SK[0-9a-f]{32}'),
  token('telegram token', [':AA'], String.raw`\d{8,10}:AA[\w-]{33}`),
  token('digitalocean token', ['_v1_'], 'do[opr]_v1_[a-f0-9]{64}'),
  token(
    'shopify token',
    ['shpat_', 'shpca_', 'shppa_', 'shpss_'],
    'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}',
  ),
  token('vault token', ['hvb.', 'hvr.', 'hvs.'], String.raw`hv[bsr]\.[\w-]{24,}`),
  token('atlassian token', ['ATATT3'], String.raw`ATATT3[\w-]{60,}(?:=[\w-]{1,16})?`),
  token('age key', ['AGE-SECRET-KEY-1'], 'AGE-SECRET-KEY-1[0-9A-Z]{58}'),
  // RFC 7519. The last part is the signature: without one it proves nothing.
  token('json web token', ['eyJ'], String.raw`eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}`, RUN_START),
  after(
    'authorization',
    AUTHORIZATION,
    String.raw`[Aa]uthorization${ASSIGNED}(?:[Bb]earer|[Tt]oken)\s{1,3}`,
    String.raw`${LONG_RUN}[\w.~+/=-]+`,
  ),
  after(
    'authorization',
    AUTHORIZATION,
    String.raw`[Aa]uthorization${ASSIGNED}[Bb]asic\s{1,3}`,
    `${LONG_RUN}[A-Za-z0-9+/]+={0,2}`,
  ),
]
