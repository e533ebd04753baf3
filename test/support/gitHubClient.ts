import { createRateGate } from '../../src/github/budget/gate.ts'
import { createLocalLedger } from '../../src/github/budget/local.ts'
import { type BoundGitHub, createGitHub } from '../../src/github/client.ts'
import { type Credential, tokenCredential } from '../../src/github/credentials.ts'
import { createMemoryResources } from '../../src/github/resources.ts'
import { createUpstream } from '../../src/github/upstream.ts'
import { createTagDrift } from '../../src/github/validators.ts'

export interface ClientOptions {
  /** Base of the API. */
  readonly url: string
  /** Read for each answer anew. */
  readonly credential?: Credential
  readonly token?: string
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  readonly now?: () => number
  readonly downloadHosts?: readonly string[]
}

export interface TestedClient extends BoundGitHub, AsyncDisposable {
  /** Calls left, as the gate knows them. */
  remaining(resource: string): number | undefined
}

/** The service's client as it is put together in production, over a gate of its own, for one answer. */
export function testedClient(options: ClientOptions): TestedClient {
  const { now = Date.now, timeoutMs = 5_000, url, token = 'none' } = options
  const limits = { maxConcurrent: 50, pointsPerMinute: 600 }
  const gate = createRateGate({ now, enforced: true, ledger: createLocalLedger({ now, limits }) })
  const { downloadHosts = [] } = options
  const upstream = createUpstream({ apiUrl: url, connections: 8, timeoutMs, downloadHosts })
  const credential = options.credential ?? tokenCredential(upstream.origin, token)
  const github = createGitHub({
    upstream,
    gate,
    conditions: { resources: createMemoryResources(1_000_000), drift: createTagDrift(now) },
    userAgent: 'test',
    timeoutMs,
    now,
    random: () => 0,
    onCall: () => {},
  })({ credential, signal: options.signal ?? new AbortController().signal, urgency: 'interactive' })
  return Object.assign(github, {
    remaining: (resource: string) => gate.remaining(credential.principal, resource),
    async [Symbol.asyncDispose]() {
      gate.close()
      await upstream.pool.destroy()
    },
  })
}
