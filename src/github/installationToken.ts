import { abortable } from '../core/abortable.ts'
import { ServiceError } from '../core/errors.ts'
import type { AppCalls } from './appCalls.ts'
import type { Credential } from './credentials.ts'

export interface InstallationTokenOptions {
  readonly calls: AppCalls
  readonly installation: number
  readonly now: () => number
  /** Told when GitHub says that the installation is no more. */
  readonly onGone: () => void
}

interface Token {
  readonly authorization: string
  /** Epoch milliseconds by this machine's clock. */
  readonly mintedAt: number
  readonly expiresAt: number
}

/** Milliseconds. GitHub's tokens live for an hour (docs.github.com/rest/apps/apps, "Create an installation access token"). */
const LIFETIME = 3_600_000
/** Milliseconds before its end from which a token is replaced, behind the requests that still use it. */
const RENEW_BEFORE = 300_000
/** Milliseconds before its end from which a token is no longer sent: it must outlive the call. */
const UNUSABLE_BEFORE = 30_000
/** Milliseconds for which GitHub's replicas may not know a new token yet (octokit/auth-app.js waits as long). */
const SPREADS_FOR = 5_000
/** Milliseconds; doubles with each refusal. */
const FIRST_DELAY = 100

/** The token of an installation: minted when it is first needed, once for all who wait, and renewed in time. */
export function createInstallationToken(
  options: InstallationTokenOptions,
): Required<Pick<Credential, 'authorization' | 'refused'>> {
  const { now } = options
  let token: Token | undefined
  let minting: Promise<Token> | undefined

  function mint(): Promise<Token> {
    minting ??= mintToken(options)
      .then((minted) => {
        token = minted
        return minted
      })
      .finally(() => {
        minting = undefined
      })
    // Whoever waits sees the failure; nobody may be left to.
    minting.catch(() => {})
    return minting
  }

  return {
    async authorization(signal) {
      const left = token ? token.expiresAt - now() : 0
      if (token && left > RENEW_BEFORE) return token.authorization
      const minted = mint()
      if (!token || left <= UNUSABLE_BEFORE) return (await abortable(minted, signal)).authorization
      // While GitHub still takes the old one nobody need wait, nor fail, for the new one.
      return token.authorization
    },
    refused(authorization, times) {
      if (token?.authorization !== authorization) return undefined
      const delay = FIRST_DELAY * 2 ** (times - 1)
      if (now() - token.mintedAt + delay < SPREADS_FOR) return delay
      // Revoked, or of an installation that is no more: the next request needs another.
      token = undefined
      return undefined
    },
  }
}

async function mintToken({
  calls,
  installation,
  now,
  onGone,
}: InstallationTokenOptions): Promise<Token> {
  const path = `/app/installations/${installation}/access_tokens`
  let minted: { token: string; expires_at: string }
  try {
    minted = await calls.ask('POST', path)
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    if (error.upstreamStatus === 404) onGone()
    throw refusalOf(error) ?? error
  }
  const mintedAt = now()
  return {
    authorization: `Bearer ${minted.token}`,
    mintedAt,
    // A clock that is behind must not make the token seem to live longer than tokens do.
    expiresAt: Math.min(Date.parse(minted.expires_at) - calls.skew, mintedAt + LIFETIME),
  }
}

/** What GitHub means by refusing a token: words that the owner of the installation can act on. */
function refusalOf({ code, upstreamStatus }: ServiceError): ServiceError | undefined {
  if (code !== 'upstream_forbidden' && code !== 'not_found') return undefined
  const detail =
    code === 'not_found'
      ? 'The GitHub App that this service reads as is no longer installed there. The owner can install it again.'
      : 'GitHub gives the GitHub App that this service reads as no access there: its installation is suspended. The owner can lift that.'
  return new ServiceError('upstream_forbidden', detail, {
    ...(upstreamStatus === undefined ? {} : { upstreamStatus }),
  })
}
