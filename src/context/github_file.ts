import { Type } from '@sinclair/typebox'
import { invalid } from '../core/errors.ts'
import { defineProvider } from '../core/provider.ts'
import { Path, Ref, repositoryParams } from '../core/schemas.ts'
import { isSha, policyFor } from './common/freshness.ts'
import { refsTag } from './common/tags.ts'
import { readFile } from './file/content.ts'
import { fileBlock, fileBlockOf } from './file/draft.ts'

const Line = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000, description }))

export const githubFile = defineProvider({
  type: 'github_file',
  blockType: 'github_file',
  title: 'File',
  description:
    'A file as text with line numbers: all of it, some lines, or what is around a match. Says what is no text: binary, link, submodule, LFS pointer.',
  uri: 'github://{owner}/{repo}/blob/{ref}/{+path}',
  pages: ['github://{owner}/{repo}/raw/{ref}/{+path}'],
  params: Type.Object(
    {
      ...repositoryParams,
      path: Path,
      ref: Type.Optional(Ref),
      start_line: Line('First line wanted, counted from 1'),
      end_line: Line('Last line wanted'),
      match: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 200,
          description: 'Only lines that have these words, in any case, with the lines around them',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: fileBlock,
  example: { owner: 'octocat', repo: 'Hello-World', path: 'README' },
  cache: { freshFor: 300, staleFor: 3_600, keepFor: 86_400 },
  tags: ({ owner, repo, ref }) => (isSha(ref) ? [] : [refsTag(owner, repo)]),
  async fetch({ owner, repo, path, ref, ...wanted }, { github }) {
    const file = await readFile(github, { owner, repo, path, ref })
    if (!file) throw invalid('/params/path', 'is a folder. Ask github_tree for what is in it.')
    const { draft, omitted } = fileBlockOf(file, wanted)
    return {
      repository: { owner: file.owner, repo: file.repo },
      visibility: 'repository',
      omitted,
      blocks: [draft],
      cache: () => policyFor(ref),
    }
  },
})
