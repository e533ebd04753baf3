/** Branches whose names begin so (docs.github.com/rest/git/refs, "List matching references"). */
import { text } from '../replies.ts'
import type { Ask, Reply, Repository } from '../types.ts'
import { nodeId } from '../world.ts'
import { repositoryRoutes } from './repository.ts'

function matching({ params }: Ask, { git, body }: Repository): Reply {
  const api = `https://api.github.com/repos/${body.full_name}/git`
  const found = [...git.branches]
    .filter(([name]) => name.startsWith(params.start ?? ''))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, sha]) => ({
      ref: `refs/heads/${name}`,
      node_id: nodeId('Ref', body.id),
      url: `${api}/refs/heads/${name}`,
      object: { sha, type: 'commit', url: `${api}/commits/${sha}` },
    }))
  return text(200, JSON.stringify(found))
}

const permission = 'contents=read'

export default [
  ...repositoryRoutes({ path: 'git/matching-refs/heads', permission, handle: matching }),
  ...repositoryRoutes({ path: 'git/matching-refs/heads/{+start}', permission, handle: matching }),
]
