import { readdirSync } from 'node:fs'
import type { Static } from '@sinclair/typebox'
import { ConfigError, collectVariables, readList, type Variables, validate } from './environment.ts'
import { readPrivateKey } from './github/privateKey.ts'
import { TOOLSETS } from './mcp/tools/toolsets.ts'
import { readDefaultModel } from './models/defaultModel.ts'
import { Environment } from './variables.ts'

export { ConfigError }

export interface ApiKey {
  readonly name: string
  readonly key: string
}

/** Name and value. */
export type Pair = readonly [name: string, value: string]

interface Lists {
  readonly ALLOWED_HOSTS: readonly string[]
  readonly ALLOWED_REPOS: readonly string[]
  readonly API_KEYS: readonly ApiKey[]
  readonly CORS_ORIGINS: readonly string[]
  readonly GITHUB_DOWNLOAD_HOSTS: readonly string[]
  readonly GITHUB_WEBHOOK_SECRET: readonly string[]
  readonly MCP_TOOLSETS: readonly string[]
  readonly OTEL_EXPORTER_OTLP_HEADERS: readonly Pair[]
  readonly OTEL_RESOURCE_ATTRIBUTES: readonly Pair[]
  readonly PROVIDERS: readonly string[]
}

export type Config = Omit<Static<typeof Environment>, keyof Lists> & Lists

/** All variables as they are set now, for secrets that a file names. */
export function variablesNow(): Variables {
  return collectVariables(process.env)
}

/**
 * The configuration out of the environment and `.env`.
 * @throws ConfigError with every fault there is
 */
export function readConfig(environment: Variables): Config {
  const data = collectVariables(environment)
  const { values, faults: found } = validate(Environment, data)
  const faults = [...found]
  const lists = readLists(data, faults)
  const host = values?.HOST ?? data.HOST
  const open = !data.API_KEYS && !data.AUTH_ISSUER
  if (host !== undefined && !isLoopback(host) && open && data.AUTH !== 'none') {
    faults.push(
      'HOST: can be reached from other machines; set API_KEYS, or AUTH=none if that is meant',
    )
  }
  faults.push(...missingOf(data, ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_JWKS_URL']))
  const app = readApp(data, faults)
  checkDefaultModel(data, faults)
  if (data.DOCS_DIR && !isFolder(data.DOCS_DIR))
    faults.push('DOCS_DIR: is not a folder that can be read')
  if (!values || faults.length > 0) throw new ConfigError(faults)
  const { 'service.name': named } = Object.fromEntries(lists.OTEL_RESOURCE_ATTRIBUTES)
  const name = data.OTEL_SERVICE_NAME ? values.OTEL_SERVICE_NAME : named
  return { ...values, ...lists, ...app, OTEL_SERVICE_NAME: name || values.OTEL_SERVICE_NAME }
}

/** Variables that make sense together alone: those that are missing though another is set. */
function missingOf(data: Variables, names: readonly string[]): string[] {
  const [present] = names.filter((name) => data[name])
  if (present === undefined) return []
  return names
    .filter((name) => !data[name])
    .map((name) => `${name}: is missing, as ${present} is set`)
}

/** The App's key in its one form. */
function readApp(data: Variables, faults: string[]): Pick<Config, 'GITHUB_APP_PRIVATE_KEY'> {
  const { GITHUB_APP_ID: id, GITHUB_APP_PRIVATE_KEY: given, GITHUB_TOKEN: token } = data
  if (id && !given) faults.push('GITHUB_APP_PRIVATE_KEY: is missing, as GITHUB_APP_ID is set')
  if (given && !id) faults.push('GITHUB_APP_ID: is missing, as GITHUB_APP_PRIVATE_KEY is set')
  if (token && id)
    faults.push('GITHUB_TOKEN: is set together with GITHUB_APP_ID; unset one of them')
  if (!given) return {}
  const key = readPrivateKey(given)
  if (key !== undefined) return { GITHUB_APP_PRIVATE_KEY: key }
  faults.push(
    'GITHUB_APP_PRIVATE_KEY: is neither an RSA private key as PEM nor the path of a readable file that holds one',
  )
  return {}
}

function isFolder(path: string): boolean {
  try {
    return readdirSync(path) !== undefined
  } catch {
    return false
  }
}

/** A default that nothing is configured for would fail at the first session only. */
function checkDefaultModel(data: Variables, faults: string[]): void {
  if (!data.DEFAULT_MODEL || faults.some((fault) => fault.startsWith('DEFAULT_MODEL:'))) return
  const { provider } = readDefaultModel(data.DEFAULT_MODEL)
  if (provider === 'anthropic' && !data.ANTHROPIC_API_KEY)
    faults.push('DEFAULT_MODEL: is one of anthropic, which needs ANTHROPIC_API_KEY')
  if (provider === 'openai' && !data.OPENAI_API_KEY && !data.OPENAI_BASE_URL)
    faults.push('DEFAULT_MODEL: is one of openai, which needs OPENAI_API_KEY or OPENAI_BASE_URL')
}

function readLists(data: Variables, faults: string[]): Lists {
  const repository = (entry: string) => (/^[\w-]+\/(\*|[\w.-]+)$/.test(entry) ? entry : undefined)
  const origin = (entry: string) => (URL.parse(entry)?.origin === entry ? entry : undefined)
  const asItIs = (entry: string) => entry
  const host = (entry: string) => (/^[\w.-]+$|^\[[\da-fA-F:]+\]$/.test(entry) ? entry : undefined)
  const toolset = (entry: string) => (TOOLSETS.includes(entry) ? entry : undefined)
  return {
    ALLOWED_HOSTS: readList(
      data,
      'ALLOWED_HOSTS',
      host,
      'the name of a host, without port',
      faults,
    ),
    MCP_TOOLSETS: readList(data, 'MCP_TOOLSETS', toolset, `one of ${TOOLSETS.join(', ')}`, faults),
    GITHUB_WEBHOOK_SECRET: readList(data, 'GITHUB_WEBHOOK_SECRET', asItIs, 'a secret', faults),
    OTEL_EXPORTER_OTLP_HEADERS: readList(
      data,
      'OTEL_EXPORTER_OTLP_HEADERS',
      header,
      'name=value, percent-encoded',
      faults,
    ),
    OTEL_RESOURCE_ATTRIBUTES: readList(
      data,
      'OTEL_RESOURCE_ATTRIBUTES',
      pair,
      'name=value, percent-encoded',
      faults,
    ),
    PROVIDERS: readList(data, 'PROVIDERS', asItIs, 'a module', faults),
    ALLOWED_REPOS: readList(data, 'ALLOWED_REPOS', repository, 'owner/* or owner/repo', faults),
    GITHUB_DOWNLOAD_HOSTS: readList(
      data,
      'GITHUB_DOWNLOAD_HOSTS',
      storeHost,
      'a host, host:port or *.host',
      faults,
    ),
    API_KEYS: readList(data, 'API_KEYS', apiKey, API_KEY_FORM, faults),
    CORS_ORIGINS: readList(
      data,
      'CORS_ORIGINS',
      origin,
      'an origin such as https://example.com',
      faults,
    ),
  }
}

const API_KEY_FORM =
  'name:key, with a name of letters, digits and ._- and a key of 16 to 256 characters'

/** The name may stand in logs, the key never. */
function apiKey(entry: string): ApiKey | undefined {
  const [, name, key] = /^([\w.-]{1,64}):([\x21-\x7e]{16,256})$/.exec(entry) ?? []
  return name !== undefined && key !== undefined ? { name, key } : undefined
}

/** One of OTLP's headers (opentelemetry.io/docs/specs/otel/protocol/exporter). The value is often a secret. */
function header(entry: string): Pair | undefined {
  const known = pair(entry)
  return known && /^[\x20-\x7e]*$/.test(known[1]) ? known : undefined
}

/** As W3C Baggage writes them (opentelemetry.io/docs/specs/otel/resource/sdk, "Specifying resource information"). */
function pair(entry: string): Pair | undefined {
  const [, name, encoded] = /^([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*)$/.exec(entry) ?? []
  if (name === undefined || encoded === undefined) return undefined
  try {
    return [name, decodeURIComponent(encoded)]
  } catch {
    return undefined
  }
}

/** A star needs a domain of two names at least: `*.com` would be everybody's. */
function storeHost(entry: string): string | undefined {
  const isHost = /^(\*\.(?=[^.:]+\.))?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?$/i.test(entry)
  return isHost ? entry.toLowerCase() : undefined
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
