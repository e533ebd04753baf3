import { createHmac } from 'node:crypto'

/** In whose name GitHub is asked. */
export interface Credential {
  /**
   * Keyed digest of the API's host and the credential's identity. It stands in every cache, flight and
   * budget key, so that no answer can reach a caller in whose name it was not fetched.
   */
  readonly principal: string
  readonly anonymous: boolean
  /** Whose it is: GitHub's refusal is told to the one who can mend it. */
  readonly from: 'service' | 'caller'
  /**
   * Value for `Authorization`, or undefined when anonymous.
   * @throws ServiceError where it has to be fetched and GitHub does not give it
   */
  authorization(signal: AbortSignal): Promise<string | undefined>
  /**
   * Told that GitHub answered 401 to `authorization`, `times` times in a row.
   * @returns milliseconds after which it may be taken; undefined where asking again is useless
   */
  refused?(authorization: string, times: number): number | undefined
}

const PRINCIPAL_BYTES = 16

/**
 * The digest is keyed with the secret itself: replicas with the same secret agree on it without
 * sharing another, and nobody who reads the keys in Redis can test a guess about names.
 */
export function principalOf(host: string, secret: string, identity: string): string {
  const digest = createHmac('sha256', secret).update(`principal\n${host}\n${identity}`).digest()
  return digest.subarray(0, PRINCIPAL_BYTES).toString('base64url')
}

export function anonymous(host: string): Credential {
  return {
    principal: principalOf(host, 'anonymous', 'anonymous'),
    anonymous: true,
    from: 'service',
    authorization: async () => undefined,
  }
}

/**
 * A personal, OAuth or installation token that the operator configured.
 * @param identity whose it is, where it is not for everybody
 */
export function tokenCredential(host: string, token: string, identity = 'token'): Credential {
  return {
    principal: principalOf(host, token, identity),
    anonymous: false,
    from: 'service',
    authorization: async () => `Bearer ${token}`,
  }
}

/**
 * A token that a caller sent. Should it be the operator's own, the two are still told apart: a
 * remembered refusal speaks to one of them.
 */
export function callerCredential(host: string, token: string): Credential {
  return {
    principal: principalOf(host, token, 'caller'),
    anonymous: false,
    from: 'caller',
    authorization: async () => `Bearer ${token}`,
  }
}
