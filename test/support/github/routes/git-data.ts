/** Trees and blobs of git itself. */
import { commitAt, entryAt, type GitEntry, type GitTree } from '../git.ts'
import { notFound, refusal, text } from '../replies.ts'
import type { Ask, Reply, Repository } from '../types.ts'
import { nodeId } from '../world.ts'
import { raw, tooLarge } from './contents.ts'
import { repositoryRoutes } from './repository.ts'

const MEGABYTES = 1024 * 1024

const emptyRepository = () => refusal(409, 'Git Repository is empty.')

/** By its own sha, or by what leads to a commit; `ref:path` is git's way to name a folder. */
function treeAt({ git, body }: Repository, name: string): GitTree | undefined {
  const known = git.trees.get(name)
  if (known) return known
  const [ref = '', path = ''] = name.split(/:(.*)/s)
  const commit = commitAt(git, ref, String(body.default_branch))
  const entry = commit && entryAt(git, commit.tree, path)
  return entry?.mode === '40000' ? git.trees.get(entry.sha) : undefined
}

function getTree(ask: Ask, repository: Repository): Reply {
  if (repository.git.branches.size === 0) return emptyRepository()
  const tree = treeAt(repository, ask.params.tree_sha ?? '')
  if (!tree) return notFound()
  const { entries, bytes } = ask.world.treeLimits
  const api = `https://api.github.com/repos/${repository.body.full_name}/git`
  const found: object[] = []
  let size = 0
  let truncated = false
  // Depth first, a folder before what is in it; any value of `recursive` counts, `0` and `false` too.
  const walk = (inside: readonly GitEntry[], folder: string): void => {
    for (const entry of inside) {
      const body = bodyOf(repository, api, folder + entry.name, entry)
      size += JSON.stringify(body).length
      truncated ||= found.length >= entries || size > bytes
      if (truncated) return
      found.push(body)
      const below = repository.git.trees.get(entry.sha)
      if (below && ask.query.has('recursive')) walk(below.entries, `${folder}${entry.name}/`)
    }
  }
  walk(tree.entries, '')
  const url = `${api}/trees/${tree.sha}`
  return text(200, JSON.stringify({ sha: tree.sha, url, tree: found, truncated }))
}

function bodyOf({ git }: Repository, api: string, path: string, { mode, sha }: GitEntry): object {
  if (mode === '160000') return { path, mode, type: 'commit', sha }
  if (mode === '40000') {
    return { path, mode: '040000', type: 'tree', sha, url: `${api}/trees/${sha}` }
  }
  const size = git.blobs.get(sha)?.bytes.length ?? 0
  return { path, mode, type: 'blob', sha, size, url: `${api}/blobs/${sha}` }
}

function getBlob(ask: Ask, { git, body }: Repository): Reply {
  if (git.branches.size === 0) return emptyRepository()
  const blob = git.blobs.get(ask.params.file_sha ?? '')
  if (!blob) return notFound()
  if (blob.bytes.length > 100 * MEGABYTES) return tooLarge()
  if (ask.accept.includes('raw')) return raw(ask, blob)
  const { sha, bytes } = blob
  const url = `https://api.github.com/repos/${body.full_name}/git/blobs/${sha}`
  const content = bytes.toString('base64').replaceAll(/.{1,60}/g, '$&\n')
  const node_id = nodeId('Blob', body.id)
  const encoding = 'base64'
  return text(200, JSON.stringify({ sha, node_id, size: bytes.length, url, content, encoding }))
}

const permission = 'contents=read'

export default [
  ...repositoryRoutes({ path: 'git/trees/{tree_sha}', permission, handle: getTree }),
  ...repositoryRoutes({ path: 'git/blobs/{file_sha}', permission, handle: getBlob }),
]
