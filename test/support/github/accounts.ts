import { documented } from './recordings.ts'
import type { Account, Permissions, Resource, Token, UserBody, World } from './types.ts'
import {
  nextId,
  nodeId,
  type RepositoryRef,
  registerProfile,
  repositoryOf,
  touch,
} from './world.ts'

export interface AccountOptions {
  login: string
  token: string
  /**
   * Makes the token fine-grained. Only private repositories are checked: GitHub needs no permission for
   * what anybody may read.
   */
  permissions?: Permissions
  /** Owners whose single sign-on the token has not been through. */
  ssoExpiredFor?: readonly string[]
  limits?: Partial<Record<Resource, number>>
}

/** An account and one token of it; a second call for the same login adds a token to the same account. */
export function addAccount(world: World, options: AccountOptions): Account {
  const { login, token, permissions, ssoExpiredFor, limits } = options
  const profile = profileOf(world, login)
  const known = world.accounts.get(login.toLowerCase())
  const account: Account = known ?? { login: profile.login, id: profile.id, limits: {} }
  Object.assign(account.limits, limits)
  world.accounts.set(login.toLowerCase(), account)
  const added: Token = { secret: token, login: profile.login }
  if (permissions) added.permissions = permissions
  if (ssoExpiredFor) added.ssoExpiredFor = ssoExpiredFor
  world.tokens.set(token, added)
  return account
}

/** Replaces an account's token: the old one is refused with 401 from now on. */
export function rotateToken(world: World, login: string, newToken: string): void {
  for (const token of [...world.tokens.values()]) {
    if (token.login?.toLowerCase() !== login.toLowerCase()) continue
    world.tokens.delete(token.secret)
    world.tokens.set(newToken, { ...token, secret: newToken })
  }
}

/** Lets an account read a private repository. */
export function grant(world: World, login: string, repository: RepositoryRef): void {
  repositoryOf(world, repository).readers.add(login.toLowerCase())
  touch(world)
}

export function revoke(world: World, login: string, repository: RepositoryRef): void {
  repositoryOf(world, repository).readers.delete(login.toLowerCase())
  touch(world)
}

/** The user as other bodies show them; an unknown login comes into being. */
export function profileOf(world: World, login: string, type = 'User'): UserBody {
  const known = world.profiles.get(login.toLowerCase())
  if (known) return known
  const template = documented('GET', '/users/{username}') as UserBody
  const id = nextId(world)
  const kept = Object.entries(template).slice(0, Object.keys(template).indexOf('site_admin') + 1)
  const text = JSON.stringify(Object.fromEntries(kept)).replaceAll('/octocat', `/${login}`)
  const user: UserBody = {
    ...JSON.parse(text),
    login,
    id,
    type,
    node_id: nodeId(type, id),
    avatar_url: `https://avatars.githubusercontent.com/u/${id}?v=4`,
  }
  registerProfile(world, user)
  return user
}
