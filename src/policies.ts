import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifyBaseLogger } from 'fastify'
import type { AllowedRepos } from './context/request/allowlist.ts'
import { createPolicy, type Policies, type Policy, readAlike } from './context/request/policy.ts'
import { ConfigError, type Variables } from './environment.ts'
import { tokenCredential } from './github/credentials.ts'

const REPOSITORY = '^[\\w-]+/(\\*|[\\w.-]+)$'
const TOKEN = /^[\x21-\x7e]{1,1024}$/

/** A secret is named here, never written. */
const Secret = Type.Union([
  Type.Object(
    { env: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }) },
    { additionalProperties: false },
  ),
  Type.Object({ file: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
])

const PolicyEntry = Type.Object(
  {
    allowed_repos: Type.Optional(Type.Array(Type.String({ pattern: REPOSITORY }))),
    rate_limit: Type.Optional(
      Type.Object(
        { max: Type.Integer({ minimum: 1 }), window_ms: Type.Integer({ minimum: 1_000 }) },
        { additionalProperties: false },
      ),
    ),
    github_token: Type.Optional(Secret),
  },
  { additionalProperties: false },
)

/** By the name of an API key, or by whom an access token speaks for. */
const PolicyFile = Type.Record(Type.String(), PolicyEntry)

export interface WatchedPolicies extends Policies {
  close(): void
}

export interface PolicyFileOptions {
  readonly path: string
  /** Origin of GitHub's API. */
  readonly host: string
  /** What the service itself is allowed. */
  readonly allowed: AllowedRepos
  /** Names that a policy may be for; undefined where others may call too. */
  readonly names: readonly string[] | undefined
  /** Where named secrets are, as they are now. */
  readonly variables: () => Variables
  readonly logger: FastifyBaseLogger
  /** Milliseconds between looks at the files. */
  readonly every?: number
}

/** Milliseconds. Looking is what works for files that are replaced, as those of Kubernetes are. */
const LOOK_EVERY = 1_000

interface Loaded {
  readonly policies: ReadonlyMap<string, Policy>
  /** All that was read. */
  readonly files: ReadonlySet<string>
}

/**
 * The policies of a file, and from then on what the file says: a change that cannot be used is told
 * in the log, and changes nothing.
 * @throws ConfigError when the file cannot be used at the start
 */
export function watchPolicies(options: PolicyFileOptions): WatchedPolicies {
  const { every = LOOK_EVERY, logger, path } = options
  let { files, policies } = load(options)
  const look = { interval: every, persistent: false }
  const checks = new Set<() => void>()
  const of = (caller: string | undefined) =>
    caller === undefined ? undefined : policies.get(caller)

  function reload(): void {
    try {
      const loaded = load(options)
      for (const file of loaded.files) if (!files.has(file)) watchFile(file, look, reload)
      for (const file of files) if (!loaded.files.has(file)) unwatchFile(file, reload)
      files = loaded.files
      policies = loaded.policies
      for (const check of checks) check()
      logger.info(`policies of ${path} are in force for ${policies.size} callers`)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      logger.error(`${path} is not in force: ${error.faults.join('; ')}; what it said before stays`)
    }
  }

  for (const file of files) watchFile(file, look, reload)
  return {
    of,
    watch(caller, policy, onChange) {
      const stop = () => void checks.delete(check)
      function check(): void {
        if (readAlike(policy, of(caller))) return
        stop()
        onChange()
      }
      checks.add(check)
      check()
      return stop
    },
    close() {
      for (const file of files) unwatchFile(file, reload)
    },
  }
}

function load(options: PolicyFileOptions): Loaded {
  const { allowed, path } = options
  const entries = parse(path)
  const files = new Set([path])
  const faults: string[] = []
  const policies = new Map<string, Policy>()
  for (const [name, entry] of Object.entries(entries)) {
    if (options.names?.includes(name) === false)
      faults.push(`/${name} is not the name of a key in API_KEYS`)
    const { allowed_repos: repositories, github_token: secret, rate_limit: limit } = entry
    if (secret && 'file' in secret) files.add(secret.file)
    const token = secret && readSecret(secret, options)
    if (secret && token === undefined)
      faults.push(`/${name}/github_token leads to no token: check what it names`)
    const policy = createPolicy(allowed, {
      repositories,
      credential: credentialOf(options.host, name, token),
      rateLimit: limit && { max: limit.max, windowMs: limit.window_ms },
    })
    policies.set(name, policy)
  }
  if (faults.length > 0) throw new ConfigError(faults.map((fault) => `POLICIES_FILE: ${fault}`))
  return { policies, files }
}

/** Apart from everybody else's, also where two callers were given the same token. */
function credentialOf(host: string, name: string, token: string | undefined) {
  return token === undefined ? undefined : tokenCredential(host, token, `policy ${name}`)
}

/** What is said of faults never quotes the file: somebody may have written a token into it. */
function parse(path: string): Static<typeof PolicyFile> {
  const data = readJson(path)
  const [fault] = [...Value.Errors(PolicyFile, data)]
  if (fault) throw new ConfigError([`POLICIES_FILE: ${fault.path || '/'}: ${fault.message}`])
  return data as Static<typeof PolicyFile>
}

function readJson(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new ConfigError(['POLICIES_FILE: is not a file that can be read'])
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new ConfigError(['POLICIES_FILE: is not JSON'])
  }
}

function readSecret(
  secret: Static<typeof Secret>,
  { variables }: PolicyFileOptions,
): string | undefined {
  const token = 'env' in secret ? variables()[secret.env] : readToken(secret.file)
  return token !== undefined && TOKEN.test(token) ? token : undefined
}

function readToken(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
