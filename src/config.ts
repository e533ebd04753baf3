import { type Static, Type } from '@sinclair/typebox'
import envSchema from 'env-schema'

const url = (description: string, options: object = {}) =>
  Type.String({ pattern: '^https?://[^\\s/?#]+[^\\s?#]*$', description, ...options })

const list = (description: string) => Type.Optional(Type.String({ separator: ',', description }))

/** Every variable that the service reads: the one source of validation and of the README's table. */
export const Environment = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on' }),
  PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 3000,
    description: 'Port to listen on',
  }),
  GITHUB_API_URL: url('Base of the REST API; for GitHub Enterprise Server `https://HOST/api/v3`', {
    default: 'https://api.github.com',
  }),
  GITHUB_TOKEN: Type.Optional(
    Type.String({
      pattern: '^\\S+$',
      description: 'Token for GitHub; without it anonymous, 60 requests an hour',
    }),
  ),
  GITHUB_TIMEOUT_MS: Type.Integer({
    minimum: 100,
    maximum: 120_000,
    default: 10_000,
    description: 'Milliseconds for one upstream call, retries included',
  }),
  GITHUB_CONNECTIONS: Type.Integer({
    minimum: 1,
    maximum: 512,
    default: 32,
    description: 'Connections to GitHub at most',
  }),
  ALLOWED_REPOS: list(
    'Comma-separated `owner/*` and `owner/repo`; all others are refused. Without it all are allowed',
  ),
  REDIS_URL: Type.Optional(
    Type.String({
      pattern: '^rediss?://[^\\s,]+(,rediss?://[^\\s,]+)*$',
      description:
        'Shared cache and limits (`redis://`, `rediss://`; the comma-separated nodes of a Cluster). Without it everything is kept in the process',
    }),
  ),
  CACHE_MAX_BYTES: Type.Integer({
    minimum: 1_048_576,
    default: 134_217_728,
    description: 'Bytes of the cache in the process',
  }),
  API_KEYS: list(
    'Comma-separated `name:key`. Without any, only a loopback `HOST` starts, unless `AUTH=none`',
  ),
  AUTH: Type.Optional(
    Type.Literal('none', { description: '`none` serves everybody who can connect' }),
  ),
  RATE_LIMIT_MAX: Type.Integer({
    minimum: 1,
    default: 600,
    description: 'Requests of one caller in a window',
  }),
  RATE_LIMIT_WINDOW_MS: Type.Integer({
    minimum: 1_000,
    default: 60_000,
    description: 'Milliseconds of that window',
  }),
  CORS_ORIGINS: list('Comma-separated origins that browsers may call from'),
  LOG_LEVEL: Type.Union(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map((level) =>
      Type.Literal(level),
    ),
    { default: 'info', description: 'Least level that is logged' },
  ),
  TRUST_PROXY: Type.Boolean({
    default: false,
    description:
      'Take the caller’s address from `X-Forwarded-For`: only behind a proxy that sets it',
  }),
})

type Values = Omit<Static<typeof Environment>, 'ALLOWED_REPOS' | 'API_KEYS' | 'CORS_ORIGINS'> & {
  ALLOWED_REPOS?: string[]
  API_KEYS?: string[]
  CORS_ORIGINS?: string[]
}

export interface ApiKey {
  readonly name: string
  readonly key: string
}

export type Config = Omit<Values, 'ALLOWED_REPOS' | 'API_KEYS' | 'CORS_ORIGINS'> & {
  readonly ALLOWED_REPOS: readonly string[]
  readonly API_KEYS: readonly ApiKey[]
  readonly CORS_ORIGINS: readonly string[]
}

/** The start cannot go on; `faults` has one line for each variable that is wrong, never its value. */
export class ConfigError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/**
 * Reads the environment. A `.env` in the working folder counts too, except in production, and the
 * environment wins over it. An empty variable is as good as none.
 * @throws ConfigError
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const data = Object.fromEntries(Object.entries(environment).filter(([, value]) => value))
  const values = validate(data, environment.NODE_ENV !== 'production')
  const faults: string[] = []
  const config: Config = {
    ...values,
    ALLOWED_REPOS: entries(values.ALLOWED_REPOS),
    API_KEYS: entries(values.API_KEYS).flatMap((entry) => apiKey(entry, faults)),
    CORS_ORIGINS: entries(values.CORS_ORIGINS),
  }
  for (const entry of config.ALLOWED_REPOS) {
    if (!/^[\w-]+\/(\*|[\w.-]+)$/.test(entry))
      faults.push(`ALLOWED_REPOS: "${entry}" is neither owner/* nor owner/repo`)
  }
  for (const origin of config.CORS_ORIGINS) {
    if (URL.parse(origin)?.origin !== origin)
      faults.push(`CORS_ORIGINS: "${origin}" is not an origin such as https://example.com`)
  }
  if (config.API_KEYS.length === 0 && config.AUTH !== 'none' && !isLoopback(config.HOST)) {
    faults.push(
      `HOST: ${config.HOST} can be reached from other machines; set API_KEYS, or AUTH=none if that is meant`,
    )
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return config
}

function validate(data: Record<string, string | undefined>, dotenv: boolean): Values {
  try {
    return envSchema<Values>({ schema: Environment, data, env: false, dotenv })
  } catch (cause) {
    const errors = (cause as { errors?: { instancePath: string; message?: string }[] }).errors
    if (!errors) throw cause
    throw new ConfigError([
      ...new Set(errors.map(({ instancePath }) => faultOf(instancePath.slice(1)))),
    ])
  }
}

function faultOf(name: string): string {
  const schema = Environment.properties[name as keyof typeof Environment.properties]
  return `${name}: ${expectation(schema)}. ${schema.description ?? ''}`.trimEnd()
}

function expectation(schema: { [key: string]: unknown }): string {
  if (Array.isArray(schema.anyOf))
    return `must be one of ${schema.anyOf.map(({ const: value }) => value).join(', ')}`
  if (schema.const !== undefined) return `must be ${schema.const} or unset`
  if (schema.type === 'boolean') return 'must be true or false'
  if (schema.type === 'integer') {
    const { minimum, maximum } = schema
    return `must be a whole number ${maximum === undefined ? `of ${minimum} or more` : `from ${minimum} to ${maximum}`}`
  }
  return 'does not have the right form'
}

function entries(values: readonly string[] | undefined): string[] {
  return (values ?? []).map((value) => value.trim()).filter((value) => value !== '')
}

/** The name may stand in logs, the key never. */
function apiKey(entry: string, faults: string[]): ApiKey[] {
  const [name = '', ...rest] = entry.split(':')
  const key = rest.join(':')
  if (/^[\w.-]{1,64}$/.test(name) && key.length >= 16) return [{ name, key }]
  faults.push(
    'API_KEYS: each entry is name:key, with a name of letters, digits and ._- and a key of 16 characters or more',
  )
  return []
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
