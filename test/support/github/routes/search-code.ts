/** Legacy code search: default branches only, of what the caller may read; nobody anonymous may ask. */
import { commitAt, filesOf } from '../git.ts'
import { pageOf, withLink } from '../pages.ts'
import { mayRead } from '../principals.ts'
import { invalid, refusal, text } from '../replies.ts'
import type { Ask, Reply, Repository, Route } from '../types.ts'
import { parseTerms, UNSEARCHABLE } from './search-terms.ts'

/** Bytes of a file above which it is not searched. */
const LARGEST = 384 * 1024
const SHOWN = 1_000
/** Fragments of one file at most. */
const FRAGMENTS = 2
const UNPARSED = 'ERROR_TYPE_QUERY_PARSING_FATAL unable to parse query!'

interface Found {
  repository: Repository
  commit: string
  path: string
  sha: string
  content: string
}

type Test = (file: Pick<Found, 'path' | 'repository'>) => boolean

const QUALIFIERS: Record<string, (value: string) => Test> = {
  org:
    (value) =>
    ({ repository }) =>
      repository.body.owner.login.toLowerCase() === value,
  user:
    (value) =>
    ({ repository }) =>
      repository.body.owner.login.toLowerCase() === value,
  path:
    (value) =>
    ({ path }) =>
      path.toLowerCase().startsWith(value.replace(/^\//, '')),
  filename:
    (value) =>
    ({ path }) =>
      (path.split('/').at(-1) ?? '').toLowerCase().includes(value),
  extension:
    (value) =>
    ({ path }) =>
      path.toLowerCase().endsWith(`.${value.replace(/^\./, '')}`),
}

function handle(ask: Ask): Reply {
  if (ask.principal.kind === 'anonymous') return refusal(401, 'Requires authentication')
  const q = ask.query.get('q') ?? ''
  if (q.trim() === '') return invalid('Search', 'q', 'missing')
  const { words, qualifiers, excluded } = parseTerms(q)
  if (words.length === 0) return invalid('Search', 'q', 'invalid', { message: UNPARSED })
  const { page, perPage } = pageOf(ask.query)
  if (page * perPage > SHOWN) {
    return refusal(422, 'Only the first 1000 search results are available')
  }
  const named = qualifiers.filter(([name]) => name === 'repo').map(([, value]) => value)
  const searched = [...ask.world.repositories.values()].filter(
    (repository) =>
      mayRead(ask.principal, repository) &&
      (named.length === 0 || named.includes(repository.body.full_name.toLowerCase())),
  )
  if (named.length > 0 && searched.length === 0) {
    return invalid('Search', 'q', 'invalid', { message: UNSEARCHABLE })
  }
  // Several repositories are alternatives.
  const wanted = qualifiers.filter(([name]) => name !== 'repo')
  const testOf = ([name, value]: [string, string]) => QUALIFIERS[name]?.(value) ?? []
  const not =
    (test: Test): Test =>
    (file) =>
      !test(file)
  const tests = [...wanted.flatMap(testOf), ...excluded.flatMap(testOf).map(not)]
  const found = searched.flatMap((repository) => filesWith(repository, words, tests))
  const shown = found.slice((page - 1) * perPage, page * perPage)
  const items = shown.map((file) => itemOf(file, words, ask.accept.includes('text-match')))
  const incomplete_results = ask.world.searchesIncomplete
  const body = JSON.stringify({ total_count: found.length, incomplete_results, items })
  const last = Math.ceil(Math.min(found.length, SHOWN) / perPage)
  return withLink(text(200, body, 'no-cache'), ask, '/search/code', last)
}

function filesWith(repository: Repository, words: readonly string[], tests: Test[]): Found[] {
  const { git, body } = repository
  const commit = commitAt(git, 'HEAD', String(body.default_branch))
  if (!commit) return []
  return filesOf(git, commit.tree).flatMap(({ path, mode, sha }) => {
    const bytes = git.blobs.get(sha)?.bytes ?? Buffer.alloc(0)
    if (!mode.startsWith('100') || bytes.length > LARGEST || bytes.includes(0)) return []
    if (!tests.every((test) => test({ path, repository }))) return []
    const content = bytes.toString()
    const whole = `${path}\n${content}`.toLowerCase()
    if (!words.every((word) => whole.includes(word))) return []
    return [{ repository, commit: commit.sha, path, sha, content }]
  })
}

function itemOf(file: Found, words: readonly string[], withMatches: boolean): object {
  const { repository, commit, path, sha } = file
  const { id, full_name } = repository.body
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  const api = `https://api.github.com/repositories/${id}`
  return {
    name: path.slice(path.lastIndexOf('/') + 1),
    path,
    sha,
    url: `${api}/contents/${encoded}?ref=${commit}`,
    git_url: `${api}/git/blobs/${sha}`,
    html_url: `https://github.com/${full_name}/blob/${commit}/${encoded}`,
    repository: partOf(repository),
    score: 1,
    ...(withMatches && {
      text_matches: matchesOf(file, words, `${api}/contents/${encoded}?ref=${commit}`),
    }),
  }
}

/** Search shows the fields up to `url` and all that end in it. */
function partOf({ body }: Repository): object {
  const kept = 'id node_id name full_name owner private url description fork'.split(' ')
  const isKept = ([key]: [string, unknown]) => kept.includes(key) || key.endsWith('_url')
  return Object.fromEntries(
    Object.entries(body)
      .filter(isKept)
      .filter(([key]) => !/^(?:git|ssh|clone|svn|mirror)_url$/.test(key)),
  )
}

function matchesOf({ path, content }: Found, words: readonly string[], object_url: string) {
  const common = { object_url, object_type: 'FileContent' }
  const lines = content.split('\n')
  const hits = lines.flatMap((line, index) =>
    words.some((word) => line.toLowerCase().includes(word)) ? [index] : [],
  )
  const fragments = hits.slice(0, FRAGMENTS).map((index) => {
    const fragment = lines.slice(Math.max(0, index - 2), index + 3).join('\n')
    return { ...common, property: 'content', fragment, matches: places(fragment, words) }
  })
  const inPath = places(path, words)
  return inPath.length > 0
    ? [...fragments, { ...common, property: 'path', fragment: path, matches: inPath }]
    : fragments
}

function places(fragment: string, words: readonly string[]) {
  const low = fragment.toLowerCase()
  return words.flatMap((word) => {
    const start = low.indexOf(word)
    return start < 0
      ? []
      : [
          {
            text: fragment.slice(start, start + word.length),
            indices: [start, start + word.length],
          },
        ]
  })
}

export default [
  { method: 'GET', path: '/search/code', resource: 'code_search', handle },
] as const satisfies Route[]
