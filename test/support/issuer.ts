import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

/** An authorization server, as far as one is needed to check its tokens. */
export interface Issuer extends AsyncDisposable {
  readonly url: string
  /** What the service must be told of it. */
  readonly env: Readonly<Record<string, string>>
  /** How often its keys were read. */
  readonly reads: number
  /** Answers with this status instead of the keys; 200 ends that. */
  fail(status: number): void
  /** Signs with a new key from now on; the old one is no longer among its keys. */
  rotate(): Promise<void>
  /** A token that is good for an hour unless the claims say otherwise. */
  sign(claims?: JWTPayload, header?: { alg?: string; kid?: string }): Promise<string>
}

export const AUDIENCE = 'https://context.example/mcp'

export async function startIssuer(): Promise<Issuer> {
  let keys = await newKeys(1)
  let reads = 0
  let status = 200
  const server = createServer((_request, response) => {
    reads += 1
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ keys: [keys.jwk] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    env: {
      AUTH_ISSUER: url,
      AUTH_AUDIENCE: AUDIENCE,
      AUTH_JWKS_URL: `${url}/.well-known/jwks.json`,
    },
    get reads() {
      return reads
    },
    fail(next) {
      status = next
    },
    async rotate() {
      keys = await newKeys(Number(keys.jwk.kid) + 1)
    },
    sign(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000)
      const usual = { sub: 'ann', scope: 'context:read', iss: url, aud: AUDIENCE, exp: now + 3600 }
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: String(keys.jwk.kid), ...header })
        .sign(keys.privateKey)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function newKeys(kid: number) {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: String(kid), alg: 'RS256', use: 'sig' }
  return { privateKey, jwk }
}
