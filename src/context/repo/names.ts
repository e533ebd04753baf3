import { type Static, type TObject, Type } from '@sinclair/typebox'
import type { GitHub } from '../../core/github.ts'
import { defineProvider, type Provider } from '../../core/provider.ts'
import { Owner, Repo } from '../../core/schemas.ts'
import { refsTag } from '../common/tags.ts'

/*
 * Names that doors complete what a caller types with. They come the way contexts do, so that they are
 * kept, shared, limited and allowed like these; but nobody asks for them by type.
 */

/** Names in one answer at most. */
const MOST = 100

interface Names<Params extends TObject> {
  readonly type: string
  readonly params: Params
  readonly tags: (params: Static<Params>) => string[]
  readonly read: (
    github: GitHub,
    params: Static<Params>,
    allowed: (repo: string) => boolean,
  ) => Promise<readonly string[]>
}

function defineNames<const Params extends TObject>({
  params: schema,
  read,
  tags,
  type,
}: Names<Params>): Provider {
  return defineProvider<Params>({
    type,
    blockType: type,
    title: 'Names',
    description: 'Names that begin as given.',
    uri: `names://${type}`,
    params: schema,
    block: Type.Object({ names: Type.Array(Type.String()) }),
    example: {} as Static<Params>,
    cache: { freshFor: 60, staleFor: 300, keepFor: 900 },
    // Of a repository the allowlist is asked before GitHub is.
    filtered: !('repo' in schema.properties),
    tags,
    async fetch(params, { allowed, github, webUrl }) {
      const { owner, repo } = params as { owner: string; repo?: string }
      const names = await read(github, params, (name) => allowed({ owner, repo: name }))
      const draft = {
        id: type,
        title: type,
        url: webUrl,
        head: `# ${type}`,
        by: 'service' as const,
        pieces: [],
        fields: () => ({ names }),
        omit: () => [],
      }
      return {
        visibility: 'private',
        omitted: [],
        blocks: [draft],
        ...(repo === undefined ? {} : { repository: { owner, repo } }),
      }
    },
  })
}

/** Names of an account's public repositories, the last pushed to first. */
const repositoryNames = defineNames({
  type: 'repository_names',
  params: Type.Object({ owner: Owner }, { additionalProperties: false }),
  tags: () => [],
  async read(github, { owner }, allowed) {
    const { items } = await github.list<{ name: string }>('/users/{owner}/repos', {
      params: { owner },
      query: { sort: 'pushed' },
      limit: MOST,
    })
    return items.map(({ name }) => name).filter(allowed)
  },
})

const prefix = (description: string) => Type.String({ maxLength: 255, description })

/** Names of branches that begin so (docs.github.com/rest/git/refs, "List matching references"). */
const branchNames = defineNames({
  type: 'branch_names',
  params: Type.Object(
    { owner: Owner, repo: Repo, start: prefix('How they begin') },
    { additionalProperties: false },
  ),
  tags: ({ owner, repo }) => [refsTag(owner, repo)],
  async read(github, { owner, repo, start }) {
    const path = '/repos/{owner}/{repo}/git/matching-refs/heads/{+start}'
    const { items } = await github.list<{ ref: string }>(path, {
      params: { owner, repo, start },
      limit: MOST,
    })
    return items.map(({ ref }) => ref.replace(/^refs\/heads\//, ''))
  },
})

/** Paths in a folder, those of folders with a slash at the end. */
const pathNames = defineNames({
  type: 'path_names',
  params: Type.Object(
    {
      owner: Owner,
      repo: Repo,
      folder: prefix('Path of the folder'),
      ref: Type.Optional(prefix('Branch, tag or commit')),
    },
    { additionalProperties: false },
  ),
  tags: ({ owner, repo }) => [refsTag(owner, repo)],
  async read(github, { folder, owner, ref, repo }) {
    const path = '/repos/{owner}/{repo}/contents/{+folder}'
    const { items } = await github.list<{ path: string; type: string }>(path, {
      params: { owner, repo, folder },
      query: { ref },
      limit: MOST,
    })
    return items.map((entry) => (entry.type === 'dir' ? `${entry.path}/` : entry.path))
  },
})

export const nameProviders: readonly Provider[] = [repositoryNames, branchNames, pathNames]
