import { paged } from '../pages.ts'
import { notFound, text } from '../replies.ts'
import { serialise } from '../serialise.ts'
import type { Ask, Principal, ReleaseBody, Reply, Repository } from '../types.ts'
import { repositoryRoutes } from './repository.ts'

/** Drafts are shown to those who may push: here the owner. */
function shownTo(principal: Principal, { body, releases }: Repository): ReleaseBody[] {
  const owner = body.owner.login.toLowerCase()
  const mayPush = principal.kind === 'user' && principal.account.login.toLowerCase() === owner
  return releases.filter(({ draft }) => mayPush || !draft)
}

const newestFirst = (a: ReleaseBody, b: ReleaseBody) => (a.created_at < b.created_at ? 1 : -1)

const write = (ask: Ask, body: ReleaseBody | undefined): Reply =>
  body ? text(200, serialise('other', ask.version, body)) : notFound()

const route = (path: string, handle: (ask: Ask, repository: Repository) => Reply) =>
  repositoryRoutes({ path, permission: 'contents=read', perCaller: true, handle })

const list = route('releases', (ask, repository) =>
  paged(
    ask,
    `/repositories/${repository.body.id}/releases`,
    shownTo(ask.principal, repository).sort(newestFirst),
    (release) => serialise('other', ask.version, release),
  ),
)

/** The newest that is neither a draft nor a prerelease. */
const latest = route('releases/latest', (ask, { releases }) =>
  write(
    ask,
    releases.filter(({ draft, prerelease }) => !draft && !prerelease).sort(newestFirst)[0],
  ),
)

const byTag = route('releases/tags/{tag}', (ask, { releases }) =>
  write(
    ask,
    releases.find(({ tag_name, draft }) => tag_name === ask.params.tag && !draft),
  ),
)

export default [...list, ...latest, ...byTag]
