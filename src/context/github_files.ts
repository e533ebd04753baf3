import { Type } from '@sinclair/typebox'
import { ServiceError } from '../core/errors.ts'
import { defineProvider, type FetchContext } from '../core/provider.ts'
import { type Omission, Path, Ref, repositoryParams } from '../core/schemas.ts'
import { isSha, policyFor } from './common/freshness.ts'
import { refsTag } from './common/tags.ts'
import { type FileFound, type FilePlace, readFile } from './file/content.ts'
import { fileBlock, fileBlockOf } from './file/draft.ts'

export const githubFiles = defineProvider({
  type: 'github_files',
  blockType: 'github_file',
  title: 'Several files',
  description:
    'Up to 50 files of a repository in one answer, each as text with line numbers. What is not there is named, the rest is answered.',
  uri: 'github://{owner}/{repo}/files/{+paths}',
  params: Type.Object(
    {
      ...repositoryParams,
      paths: Type.Array(Path, {
        minItems: 1,
        maxItems: 50,
        description: 'Paths of the files, the most important first',
      }),
      ref: Type.Optional(Ref),
    },
    { additionalProperties: false },
  ),
  block: fileBlock,
  example: { owner: 'octocat', repo: 'Hello-World', paths: ['README'] },
  cache: { freshFor: 300, staleFor: 3_600, keepFor: 86_400 },
  tags: ({ owner, repo, ref }) => (isSha(ref) ? [] : [refsTag(owner, repo)]),
  async fetch({ owner, repo, paths, ref }, context) {
    const looks = await Promise.all(
      [...new Set(paths)].map((path) => look({ owner, repo, path, ref }, context.part())),
    )
    const found = looks.filter((one) => 'file' in one)
    const absent = looks.filter((one) => 'omission' in one)
    const failures = absent.flatMap(({ failure }) => failure ?? [])
    // Where nothing is, the repository itself may be what is missing.
    if (failures.length === looks.length) throw failures[0]
    const blocks = found.map(({ file, from }) =>
      fileBlockOf(file, {}, { from, files: found.length }),
    )
    const [{ file } = { file: { owner, repo } }] = found
    return {
      repository: { owner: file.owner, repo: file.repo },
      visibility: 'repository',
      omitted: [
        ...absent.map(({ omission }) => omission),
        ...blocks.flatMap(({ omitted }) => omitted),
      ],
      blocks: blocks.map(({ draft }) => draft),
      cache: () => policyFor(ref),
    }
  },
})

type Look =
  | { readonly file: FileFound; readonly from: FetchContext }
  | { readonly omission: Omission; readonly failure?: ServiceError }

async function look(place: FilePlace, from: FetchContext): Promise<Look> {
  try {
    const file = await readFile(from.github, place)
    return file ? { file, from } : { omission: folder(place) }
  } catch (error) {
    const isMissing = error instanceof ServiceError && error.upstreamStatus === 404
    if (!isMissing) throw error
    return { omission: { what: place.path, count: 1, reason: 'not_found' }, failure: error }
  }
}

function folder({ path, ...place }: FilePlace): Omission {
  const params = {
    owner: place.owner,
    repo: place.repo,
    path,
    ...(place.ref && { ref: place.ref }),
  }
  return { what: path, reason: 'is_a_folder', next: { context_type: 'github_tree', params } }
}
