import { profileOf } from '../accounts.ts'
import { covers, mintToken } from '../apps.ts'
import { documented } from '../recordings.ts'
import { invalid, notFound, refusal, text } from '../replies.ts'
import { serialise } from '../serialise.ts'
import type {
  App,
  Ask,
  Installation,
  Permissions,
  Reply,
  Repository,
  Route,
  World,
} from '../types.ts'
import { timestamp } from '../world.ts'

/** These endpoints take the app's own JSON web token and nothing else. */
const asApp = (handle: (ask: Ask, app: App) => Reply) => (ask: Ask) =>
  ask.principal.kind === 'app'
    ? handle(ask, ask.principal.app)
    : refusal(401, 'A JSON web token could not be decoded')

const installationWhere = (matches: (installation: Installation, ask: Ask) => boolean) =>
  asApp((ask, app) => {
    const all = [...ask.world.installations.values()]
    const found = all.find((candidate) => candidate.app === app && matches(candidate, ask))
    return found ? text(200, JSON.stringify(installationBody(ask.world, found))) : notFound()
  })

function installationBody(world: World, installation: Installation): object {
  const { id, app, login, repositories, permissions, suspended } = installation
  const account = profileOf(world, login)
  return {
    ...(documented('GET', '/repos/{owner}/{repo}/installation') as object),
    id,
    account,
    repository_selection: repositories === 'all' ? 'all' : 'selected',
    access_tokens_url: `https://api.github.com/app/installations/${id}/access_tokens`,
    html_url: `https://github.com/organizations/${login}/settings/installations/${id}`,
    app_id: app.id,
    app_slug: app.slug,
    client_id: app.clientId,
    target_id: account.id,
    target_type: account.type,
    permissions,
    suspended_at: suspended ? timestamp(world.now()) : null,
  }
}

function repositoryNamed(ask: Ask): Repository | undefined {
  const { owner, repo } = ask.params
  const id = ask.world.names.get(`${owner}/${repo}`.toLowerCase())
  return ask.world.repositories.get(id ?? -1)
}

function createToken(ask: Ask, app: App): Reply {
  const { world } = ask
  const installation = world.installations.get(Number(ask.params.installation_id))
  if (installation?.app !== app) return notFound()
  if (installation.suspended) return refusal(403, 'This installation has been suspended')
  const wanted = (ask.body ?? {}) as {
    repositories?: string[]
    repository_ids?: number[]
    permissions?: Permissions
  }
  const covered = [...world.repositories.values()].filter((one) => covers(installation, one))
  const names = wanted.repositories?.map((name) => name.toLowerCase())
  const narrowed = names ?? wanted.repository_ids
  const chosen = covered.filter(
    ({ body }) =>
      names?.includes(body.name.toLowerCase()) || wanted.repository_ids?.includes(body.id),
  )
  if (narrowed && chosen.length < narrowed.length) return invalid('Installation', 'repositories')
  const { secret, expiresAt, permissions } = mintToken(world, installation, {
    ...(wanted.permissions && { permissions: wanted.permissions }),
    ...(narrowed && { repositories: new Set(chosen.map(({ body }) => body.id)) }),
  })
  const selected = narrowed !== undefined || installation.repositories !== 'all'
  const shown = narrowed ? chosen : covered
  const body = {
    token: secret,
    expires_at: timestamp(expiresAt),
    permissions,
    repository_selection: selected ? 'selected' : 'all',
  }
  if (!selected) return text(201, JSON.stringify(body))
  const listed = shown.map((one) => serialise('repository', ask.version, one.body))
  return text(201, `${JSON.stringify(body).slice(0, -1)},"repositories":[${listed.join(',')}]}`)
}

const byLogin = (name: 'username' | 'org') =>
  installationWhere(({ login }, { params }) => login.toLowerCase() === params[name]?.toLowerCase())

export default [
  { method: 'GET', path: '/app', handle: asApp((_, app) => text(200, JSON.stringify(app.body))) },
  { method: 'GET', path: '/users/{username}/installation', handle: byLogin('username') },
  { method: 'GET', path: '/orgs/{org}/installation', handle: byLogin('org') },
  {
    method: 'GET',
    path: '/repos/{owner}/{repo}/installation',
    handle: installationWhere((installation, ask) => {
      const repository = repositoryNamed(ask)
      return repository !== undefined && covers(installation, repository)
    }),
  },
  {
    method: 'POST',
    path: '/app/installations/{installation_id}/access_tokens',
    handle: asApp(createToken),
  },
] as const satisfies Route[]
