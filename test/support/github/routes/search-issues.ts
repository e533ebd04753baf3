import { pageOf, withLink } from '../pages.ts'
import { mayRead } from '../principals.ts'
import { invalid, refusal, text } from '../replies.ts'
import type { Ask, Issue, Reply, Route } from '../types.ts'
import { isPresent, writeListItem } from './issues.ts'
import { parseTerms, UNSEARCHABLE } from './search-terms.ts'

/** GitHub shows no more than this many of the results. */
const SHOWN = 1_000

type Test = (issue: Issue) => boolean

const QUALIFIERS: Record<string, (value: string) => Test> = {
  org: (value) => (issue) => issue.repository.body.owner.login.toLowerCase() === value,
  user: (value) => (issue) => issue.repository.body.owner.login.toLowerCase() === value,
  author: (value) => (issue) => issue.body.user?.login.toLowerCase() === value,
  label: (value) => (issue) => issue.body.labels.some(({ name }) => name.toLowerCase() === value),
  state: (value) => (issue) => issue.body.state === value,
  type: (value) => is(value),
  is: (value) => is(value),
}

function is(value: string): Test {
  if (value === 'pr') return ({ body }) => body.pull_request !== undefined
  if (value === 'issue') return ({ body }) => body.pull_request === undefined
  return ({ body }) => body.state === value
}

function isText(term: string): Test {
  return ({ body, comments }) =>
    body.title.toLowerCase().includes(term) ||
    (body.body ?? '').toLowerCase().includes(term) ||
    comments.some((comment) => comment.body.body.toLowerCase().includes(term))
}

function parse(q: string): { tests: Test[]; repositories: string[] } {
  const { words, qualifiers } = parseTerms(q)
  const tests = qualifiers.flatMap(([name, value]) => QUALIFIERS[name]?.(value) ?? [])
  const repositories = qualifiers.filter(([name]) => name === 'repo').map(([, value]) => value)
  return { tests: [...tests, ...words.map(isText)], repositories }
}

function handle(ask: Ask): Reply {
  const q = ask.query.get('q') ?? ''
  if (q.trim() === '') return invalid('Search', 'q', 'missing')
  const { page, perPage } = pageOf(ask.query)
  if (page * perPage > SHOWN) {
    return refusal(422, 'Only the first 1000 search results are available')
  }
  const { tests, repositories } = parse(q)
  const readable = [...ask.world.repositories.values()].filter((repository) =>
    mayRead(ask.principal, repository),
  )
  const searched = readable.filter(
    ({ body }) => !repositories.length || repositories.includes(body.full_name.toLowerCase()),
  )
  if (repositories.length && !searched.length) {
    return invalid('Search', 'q', 'invalid', { message: UNSEARCHABLE })
  }
  const found = searched
    .flatMap(({ issues }) => [...issues.values()])
    .filter((issue) => isPresent(issue) && tests.every((test) => test(issue)))
    .sort((a, b) => b.body.id - a.body.id)
  const write = writeListItem(ask.version)
  const items = found
    .slice((page - 1) * perPage, page * perPage)
    // GitHub writes the score as a float, which JSON.stringify cannot.
    .map((issue) => `${write(issue).slice(0, -1)},"score":1.0}`)
  const body = `{"total_count":${found.length},"incomplete_results":false,"items":[${items.join(',')}]}`
  const last = Math.ceil(Math.min(found.length, SHOWN) / perPage)
  return withLink(text(200, body, 'no-cache'), ask, '/search/issues', last)
}

export default [
  { method: 'GET', path: '/search/issues', resource: 'search', handle },
] as const satisfies Route[]
