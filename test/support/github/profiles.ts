import { documented } from './recordings.ts'
import type { UserBody, World } from './types.ts'

/** What /user and /users/:login say: the documented body, with the user's own names and ids in it. */
export function profilePage(
  world: World,
  login: string,
  view: 'public' | 'private',
): UserBody | undefined {
  const user = world.profiles.get(login.toLowerCase())
  if (!user) return undefined
  const path = view === 'public' ? '/users/{username}' : '/user'
  const template = documented('GET', path) as UserBody
  if (user.login === template.login) return template
  return { ...template, ...user, name: user.login, email: null }
}

/** A recorded or documented organization, or one cloned for an owner that is an organization. */
export function addedOrganization(world: World, login: string): UserBody | undefined {
  const known = world.organizations.get(login.toLowerCase())
  if (known) return known
  const profile = world.profiles.get(login.toLowerCase())
  if (profile?.type !== 'Organization') return undefined
  const text = JSON.stringify(documented('GET', '/orgs/{org}'))
  const body = JSON.parse(text.replaceAll('/orgs/github', `/orgs/${profile.login}`))
  const { id, node_id, avatar_url, html_url } = profile
  const names = { login: profile.login, name: profile.login }
  const made: UserBody = Object.freeze({ ...body, ...names, id, node_id, avatar_url, html_url })
  world.organizations.set(login.toLowerCase(), made)
  return made
}
