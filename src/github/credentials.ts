import { createHmac } from 'node:crypto'

/** In whose name GitHub is asked. */
export interface Credential {
  /**
   * Keyed digest of the API's host and the credential's identity. It stands in every cache, flight and
   * budget key, so that no answer can reach a caller in whose name it was not fetched.
   */
  readonly principal: string
  readonly anonymous: boolean
  /** Value for `Authorization`, or undefined when anonymous. */
  authorization(signal: AbortSignal): Promise<string | undefined>
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
    authorization: async () => undefined,
  }
}

/** A personal, OAuth or installation token. */
export function tokenCredential(host: string, token: string): Credential {
  return {
    principal: principalOf(host, token, 'token'),
    anonymous: false,
    authorization: async () => `Bearer ${token}`,
  }
}
