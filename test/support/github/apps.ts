/** GitHub Apps: who they are, where they are installed, and the JSON web tokens they prove themselves with. */
import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  verify,
} from 'node:crypto'
import { profileOf } from './accounts.ts'
import { documented } from './recordings.ts'
import type { App, Installation, Permissions, Repository, Resource, Token, World } from './types.ts'
import { nextId, type RepositoryRef, repositoryOf } from './world.ts'

export interface AppOptions {
  id?: number
  slug?: string
  clientId?: string
  /** PEM, or a key object. */
  publicKey: string | KeyObject
  /** Milliseconds until a minted token is accepted. */
  tokenDelayMs?: number
}

export function addApp(world: World, options: AppOptions): App {
  const id = options.id ?? nextId(world)
  const slug = options.slug ?? `app-${id}`
  const clientId = options.clientId ?? `Iv1.${id.toString(16).padStart(16, '0')}`
  const { publicKey } = options
  const app: App = {
    id,
    slug,
    clientId,
    publicKey: typeof publicKey === 'string' ? createPublicKey(publicKey) : publicKey,
    body: { ...(documented('GET', '/app') as object), id, slug, client_id: clientId, name: slug },
    tokenDelayMs: options.tokenDelayMs ?? 0,
  }
  world.apps.set(id, app)
  return app
}

export interface InstallationOptions {
  app: App
  /** The user or organization it is installed on. */
  login: string
  repositories?: 'all' | readonly RepositoryRef[]
  permissions?: Permissions
  limits?: Partial<Record<Resource, number>>
}

export function addInstallation(world: World, options: InstallationOptions): Installation {
  const { app, login, repositories = 'all', limits = {} } = options
  const ids = (refs: readonly RepositoryRef[]) =>
    new Set(refs.map((ref) => repositoryOf(world, ref).body.id))
  const installation: Installation = {
    id: nextId(world),
    app,
    login: profileOf(world, login).login,
    repositories: repositories === 'all' ? 'all' : ids(repositories),
    permissions: options.permissions ?? { metadata: 'read', contents: 'read', issues: 'read' },
    limits,
  }
  world.installations.set(installation.id, installation)
  return installation
}

export function covers(installation: Installation, { body }: Repository): boolean {
  const { login, repositories } = installation
  if (body.owner.login.toLowerCase() !== login.toLowerCase()) return false
  return repositories === 'all' || repositories.has(body.id)
}

export interface Narrowing {
  permissions?: Permissions
  repositories?: ReadonlySet<number>
}

/** A token for an hour by the world's clock. */
export function mintToken(
  world: World,
  installation: Installation,
  { permissions = installation.permissions, repositories }: Narrowing = {},
): Required<Pick<Token, 'expiresAt' | 'permissions'>> & Token {
  const now = world.now()
  const token = {
    secret: `ghs_${randomBytes(18).toString('hex')}`,
    installation,
    permissions,
    ...(repositories && { repositories }),
    validFrom: now + installation.app.tokenDelayMs,
    expiresAt: now + 3_600_000,
  }
  world.tokens.set(token.secret, token)
  return token
}

/** The app that signed the token, or GitHub's message about what is wrong with it. */
export function verifyAppJwt(world: World, jwt: string): App | string {
  const [head = '', payload = '', signature = ''] = jwt.split('.')
  const claims = decode(payload)
  if (decode(head)?.alg !== 'RS256' || !claims) return 'A JSON web token could not be decoded'
  const { iss, iat, exp } = claims
  const app = [...world.apps.values()].find(
    ({ id, clientId }) => String(id) === String(iss) || clientId === iss,
  )
  if (!app) return 'Integration not found'
  const signed = Buffer.from(`${head}.${payload}`)
  if (!verify('RSA-SHA256', signed, app.publicKey, Buffer.from(signature, 'base64url'))) {
    return 'A JSON web token could not be decoded'
  }
  const now = Math.floor(world.now() / 1000)
  if (typeof iat !== 'number' || iat > now) {
    return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
  }
  if (typeof exp !== 'number' || exp <= now) {
    return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
  }
  if (exp > now + 600) return "'Expiration time' claim ('exp') is too far in the future"
  return app
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString())
  } catch {
    return undefined
  }
}

/** An RSA key pair in the form in which GitHub hands out private keys. */
export function appKeyPair(): { publicKey: string; privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
}
