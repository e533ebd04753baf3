import { ServiceError } from '../core/errors.ts'
import type { GitHubApp } from './app.ts'
import { anonymous, type Credential, callerCredential, tokenCredential } from './credentials.ts'

/** What decides in whose name GitHub is asked. */
export interface Asker {
  /** Account that owns what is asked for, where that is known. */
  readonly owner?: string | undefined
  /** `X-GitHub-Token`, as it was sent. */
  readonly callerToken?: string | undefined
  /** The caller's by the operator's word: used instead of the service's. */
  readonly own?: Credential | undefined
}

/**
 * The one credential for a request. A caller's own token is the only one used for that caller:
 * there is no way from it to the service's.
 * @throws ServiceError `forbidden` for a caller's token where none are taken, and where the App is
 * not installed; `invalid_request` for what cannot be a token; `upstream_*` when GitHub cannot say
 */
export type CredentialFor = (asker: Asker) => Credential | Promise<Credential>

export interface CredentialSources {
  /** Origin of the API. */
  readonly host: string
  readonly token: string | undefined
  readonly app: GitHubApp | undefined
  readonly callerTokens: boolean
}

/** `b64token` of RFC 6750, section 2.1: what can stand in a header and nothing that could break out of it. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{1,1024}={0,2}$/

export function createCredentialFor({
  host,
  token,
  app,
  callerTokens,
}: CredentialSources): CredentialFor {
  const own = token === undefined ? anonymous(host) : tokenCredential(host, token)
  return ({ owner, callerToken, own: callers }) => {
    if (callerToken !== undefined) {
      if (!callerTokens) throw notTaken()
      if (!TOKEN.test(callerToken)) throw malformed()
      return callerCredential(host, callerToken)
    }
    if (callers) return callers
    if (!app) return own
    if (owner === undefined) throw ownerless()
    return app.credentialFor(owner.toLowerCase())
  }
}

function notTaken(): ServiceError {
  return new ServiceError(
    'forbidden',
    'This service takes no tokens from callers. Leave X-GitHub-Token out, or ask the operator to set ALLOW_CALLER_TOKENS=true.',
  )
}

function malformed(): ServiceError {
  return new ServiceError(
    'invalid_request',
    'X-GitHub-Token: must be one token of GitHub’s, of 1 to 1024 letters, digits and -._~+/ with no spaces.',
  )
}

function ownerless(): ServiceError {
  return new ServiceError(
    'forbidden',
    'This service reads as a GitHub App, owner by owner. Name the owner whose repositories are meant.',
  )
}
