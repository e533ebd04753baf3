import { covers, verifyAppJwt } from './apps.ts'
import { badCredentials, notAccessible, refusal, ssoRequired } from './replies.ts'
import type { Permissions, Principal, Reply, Repository, Token, World } from './types.ts'

const ANONYMOUS: Principal = { kind: 'anonymous', name: 'anonymous' }
const known = new WeakMap<Token, Principal>()

/** Who asks, by the Authorization header, or GitHub's 401. */
export function authenticate(world: World, authorization: string | undefined): Principal | Reply {
  if (authorization === undefined) return ANONYMOUS
  const secret = secretOf(authorization)
  if (secret === undefined) return badCredentials()
  const token = world.tokens.get(secret)
  if (!token) return secret.split('.').length === 3 ? byJwt(world, secret) : badCredentials()
  const { validFrom, expiresAt } = token
  if (validFrom !== undefined || expiresAt !== undefined) {
    const now = world.now()
    if (now < (validFrom ?? now) || now >= (expiresAt ?? Infinity)) return badCredentials()
  }
  if (token.installation?.suspended) return refusal(403, 'This installation has been suspended')
  let principal = known.get(token)
  if (!principal) {
    principal = principalOf(world, token)
    if (principal) known.set(token, principal)
  }
  return principal ?? badCredentials()
}

export function secretOf(authorization: string): string | undefined {
  return /^(?:token|bearer) +(\S+)$/i.exec(authorization)?.[1]
}

function principalOf(world: World, token: Token): Principal | undefined {
  const { installation, login } = token
  if (installation) {
    return { kind: 'installation', name: `installation:${installation.id}`, installation, token }
  }
  const account = world.accounts.get((login ?? '').toLowerCase())
  return account && { kind: 'user', name: account.login, account, token }
}

function byJwt(world: World, jwt: string): Principal | Reply {
  const app = verifyAppJwt(world, jwt)
  if (typeof app !== 'string') return { kind: 'app', name: `app:${app.id}`, app }
  return refusal(app === 'Integration not found' ? 404 : 401, app)
}

export function mayRead(principal: Principal, repository: Repository): boolean {
  const { body, readers } = repository
  if (!body.private) return true
  if (principal.kind === 'user') {
    const login = principal.account.login.toLowerCase()
    return body.owner.login.toLowerCase() === login || readers.has(login)
  }
  if (principal.kind !== 'installation') return false
  const { installation, token } = principal
  return covers(installation, repository) && (token.repositories?.has(body.id) ?? true)
}

/** Why a caller that sees the repository may not do this with it. `needed` as in `issues=read`. */
export function lacking(
  principal: Principal,
  repository: Repository,
  needed: string,
): 'single sign-on' | 'permission' | undefined {
  if (principal.kind !== 'user' && principal.kind !== 'installation') return undefined
  const { body } = repository
  const owner = body.owner.login.toLowerCase()
  const { ssoExpiredFor, permissions } = principal.token
  if (ssoExpiredFor?.some((login) => login.toLowerCase() === owner)) return 'single sign-on'
  if (!permissions || !body.private || allows(permissions, needed)) return undefined
  return 'permission'
}

/** The same as GitHub's 403. */
export function refusePermission(
  principal: Principal,
  repository: Repository,
  needed: string,
): Reply | undefined {
  const reason = lacking(principal, repository, needed)
  if (reason === 'single sign-on') return ssoRequired(repository.body.owner.login)
  const by = principal.kind === 'installation' ? 'integration' : 'personal access token'
  return reason && notAccessible(by, needed)
}

export function allows(permissions: Permissions, needed: string): boolean {
  const [name = '', level = 'read'] = needed.split('=')
  if (name === 'metadata') return true
  const levels = ['read', 'write', 'admin']
  return levels.indexOf(permissions[name] ?? '') >= levels.indexOf(level)
}
