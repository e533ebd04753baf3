import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { ServiceError } from '../core/errors.ts'
import { type AppIdentity, appRefused, createAppCalls } from './appCalls.ts'
import type { CallOptions } from './call.ts'
import { type Credential, principalOf } from './credentials.ts'
import { createInstallations } from './installations.ts'
import { createInstallationToken } from './installationToken.ts'

export interface GitHubApp {
  /**
   * The credential of the App's installation on an account. Its token is minted when it is first
   * sent, so that kept answers are served while GitHub is away.
   * @param owner login in lower case
   * @throws ServiceError `forbidden` where the App is not installed, `upstream_*` when GitHub cannot say
   */
  credentialFor(owner: string): Credential | Promise<Credential>
  /** Asks GitHub whether it knows the App by its key. @throws ServiceError `upstream_auth` */
  check(): Promise<void>
}

export interface AppOptions extends CallOptions {
  readonly identity: AppIdentity
  readonly timeoutMs: number
  readonly closing: AbortSignal
  /** Whether something happened to the account's installations since then. */
  readonly changedSince: (owner: string, at: number) => boolean
}

/** Installations whose tokens are kept at most. */
const MOST = 10_000

export function createGitHubApp(options: AppOptions): GitHubApp {
  const { changedSince, identity, now, upstream } = options
  // Principals outlive tokens, and replicas with the same key agree on them.
  const secret = hash('sha256', `app\n${identity.privateKey}`)
  const principal = (name: string) => principalOf(upstream.origin, secret, name)

  const calls = createAppCalls({ ...options, principal: principal(`app ${identity.id}`) })
  const installations = createInstallations({ calls, now, changedSince })
  const credentials = new LRUCache<number, Credential>({ max: MOST })

  function credentialOf(installation: number): Credential {
    const known = credentials.get(installation)
    if (known) return known
    const onGone = () => installations.forget(installation)
    const credential: Credential = {
      principal: principal(`app ${identity.id} installation ${installation}`),
      anonymous: false,
      from: 'service',
      ...createInstallationToken({ calls, installation, now, onGone }),
    }
    credentials.set(installation, credential)
    return credential
  }

  const credentialAt = (owner: string, installation: number | undefined): Credential => {
    if (installation === undefined) throw notInstalled(owner)
    return credentialOf(installation)
  }

  return {
    credentialFor(owner) {
      const found = installations.find(owner)
      return typeof found === 'object'
        ? found.then((installation) => credentialAt(owner, installation))
        : credentialAt(owner, found)
    },
    async check() {
      try {
        await calls.ask('GET', '/app')
      } catch (error) {
        // GitHub does not know the id: "Integration not found".
        if (error instanceof ServiceError && error.upstreamStatus === 404) throw appRefused(404)
        throw error
      }
    },
  }
}

function notInstalled(owner: string): ServiceError {
  return new ServiceError(
    'forbidden',
    `The GitHub App is not installed for ${owner}. The account's owner can install it; that takes effect within a minute.`,
  )
}
