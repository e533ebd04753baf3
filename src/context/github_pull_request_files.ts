import { Type } from '@sinclair/typebox'
import { invalid } from '../core/errors.ts'
import type { GitHub } from '../core/github.ts'
import { defineProvider } from '../core/provider.ts'
import { repositoryParams } from '../core/schemas.ts'
import { missingPaths, type PlacedFile } from './change/files.ts'
import { checkFileParams, detailParam, fileParams, windowParams } from './change/params.ts'
import type { DiffEntry } from './change/patches.ts'
import { DELIVERED } from './common/freshness.ts'
import { pullTag } from './common/tags.ts'
import type { Window } from './common/windows.ts'
import {
  type GitHubPull,
  PullNumber,
  pullRepository,
  pullVisibility,
  pullWord,
} from './pull/fields.ts'
import { MOST_FILES, pullFilesBlock, pullFilesDraft, restOfFiles } from './pull/files.ts'
import { PULL } from './pull/parts.ts'

const USUAL = 100
/** Where a question chooses from them. */
const SEARCHED = 300

export const githubPullRequestFiles = defineProvider({
  type: 'github_pull_request_files',
  blockType: 'github_pull_request_files',
  title: 'Changed files of a pull request',
  description:
    'What a pull request changes: patches by file and hunk as text, what tools wrote last; any window of the files, single files, single hunks.',
  uri: 'github://{owner}/{repo}/pull/{pull_number}/files',
  pages: ['github://{owner}/{repo}/pull/{pull_number}/changes'],
  params: Type.Object(
    {
      ...repositoryParams,
      pull_number: PullNumber,
      detail: detailParam(
        ['stats', 'patch'],
        'patch',
        '`stats`: the list of files; `patch`: also their hunks',
      ),
      ...fileParams,
      ...windowParams('Files', 1_000, USUAL),
      page: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: MOST_FILES,
          description: 'Page of `limit` files, from 1; in place of `offset`',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  block: pullFilesBlock,
  example: { owner: 'octocat', repo: 'Hello-World', pull_number: 1347 },
  defaultsWithQuery: { limit: SEARCHED },
  cache: DELIVERED,
  tags: ({ owner, repo, pull_number }) => [pullTag(owner, repo, pull_number)],
  async fetch(params, { github }) {
    checkFileParams(params)
    const { detail = 'patch', hunks, limit = USUAL, owner, paths, pull_number, repo } = params
    const offset = offsetOf(params, limit)
    const place = { owner, repo, pull_number }
    const [pull, found] = await Promise.all([
      github.get<GitHubPull>(PULL, 'number', { params: place }),
      listFiles(github, place, { offset, limit }),
    ])
    const isSearch = paths !== undefined && offset === 0 && [USUAL, SEARCHED].includes(limit)
    const all = isSearch ? await searchFiles(github, place, pull, found, paths) : found
    const files = paths ? all.filter(({ entry }) => paths.includes(entry.filename)) : all
    const block = pullFilesDraft(pull, files, {
      detail: detail === 'stats' ? 'stats' : 'patch',
      hunks,
      rank: 0,
    })
    return {
      repository: pullRepository(pull),
      visibility: pullVisibility(pull),
      said: [pullWord(pull)],
      omitted: [
        ...(paths
          ? missingPaths(paths, files)
          : restOfFiles(pull, { offset, limit }, found.length, detail)),
        ...block.omitted,
      ],
      blocks: [block.draft],
    }
  },
})

/** @throws ServiceError `invalid_request` */
function offsetOf(
  { offset = 0, page }: { readonly offset?: number; readonly page?: number },
  limit: number,
): number {
  if (page === undefined) return offset
  if (offset > 0) throw invalid('/params/page', 'goes without offset: send one of the two.')
  return (page - 1) * limit
}

type Place = Readonly<Record<'owner' | 'repo', string>> & { readonly pull_number: number }

async function listFiles(
  github: GitHub,
  params: Place,
  { offset, limit }: Window,
  eager = false,
): Promise<PlacedFile[]> {
  const { items } = await github.list<DiffEntry>(`${PULL}/files`, { params, offset, limit, eager })
  return items.map((entry, index) => ({ entry, position: offset + index }))
}

/** Files of one listing at most. */
const STEP = 1_000

/** GitHub cannot be asked for a file of its list: where the first have it not, all the others come at once. */
async function searchFiles(
  github: GitHub,
  params: Place,
  { changed_files }: GitHubPull,
  first: readonly PlacedFile[],
  paths: readonly string[],
): Promise<readonly PlacedFile[]> {
  const known = new Set(first.map(({ entry }) => entry.filename))
  const end = Math.min(changed_files, MOST_FILES)
  if (end <= first.length || paths.every((path) => known.has(path))) return first
  const windows: Window[] = []
  for (let offset = first.length; offset < end; offset += STEP) {
    windows.push({ offset, limit: Math.min(STEP, end - offset) })
  }
  const rest = await Promise.all(windows.map((window) => listFiles(github, params, window, true)))
  return [...first, ...rest.flat()]
}
