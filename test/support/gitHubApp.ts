import { createGitHubApp, type GitHubApp } from '../../src/github/app.ts'
import type { CallOptions } from '../../src/github/call.ts'
import { createUpstream } from '../../src/github/upstream.ts'
import { type App, addApp, appKeyPair, type GitHub } from './github/index.ts'

export interface TestedApp extends AsyncDisposable {
  readonly app: GitHubApp
  /** The App as the simulator knows it. */
  readonly known: App
  readonly calls: CallOptions
}

export interface TestedAppOptions {
  readonly now: () => number
  readonly changedSince?: (owner: string, at: number) => boolean
  readonly keys?: { publicKey: string; privateKey: string }
  /** As the simulator knows it already. */
  readonly known?: App
}

/** The service's side of a GitHub App, in front of a simulated GitHub and with no limits of its own. */
export function testedApp(github: GitHub, options: TestedAppOptions): TestedApp {
  const { now, changedSince = () => false, keys = appKeyPair() } = options
  const known = options.known ?? addApp(github.world, { publicKey: keys.publicKey })
  const upstream = createUpstream({ apiUrl: github.url, connections: 8, timeoutMs: 2_000 })
  const gate = {
    enter: () => ({ leave: () => {} }),
    remaining: () => undefined,
    budgets: () => [],
    close: () => {},
  }
  const calls: CallOptions = { upstream, gate, userAgent: 'test', now, onCall: () => {} }
  const app = createGitHubApp({
    ...calls,
    identity: { id: String(known.id), privateKey: keys.privateKey },
    timeoutMs: 2_000,
    closing: new AbortController().signal,
    changedSince,
  })
  return { app, known, calls, [Symbol.asyncDispose]: () => upstream.pool.close() }
}
