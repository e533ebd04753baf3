import { paged } from '../pages.ts'
import { commitsOfPull, filesOfPull, pullBody, pullListed, reviewCommentsOf } from '../pulls.ts'
import { notFound, text, withLastModified } from '../replies.ts'
import type { Ask, Reply, Repository, Route } from '../types.ts'
import type { Pull } from '../work-types.ts'
import { touch } from '../world.ts'
import { repositoryRoutes } from './repository.ts'

/** GitHub lists no more of a pull request's files, and of its commits. */
const MOST_FILES = 3_000
const MOST_COMMITS = 250

function findPull({ params }: Ask, { work }: Repository): Pull | undefined {
  const number = params.pull_number ?? ''
  return /^\d+$/.test(number) ? work.pulls.get(Number(number)) : undefined
}

function matches(query: URLSearchParams): (pull: Pull) => boolean {
  const state = query.get('state') ?? 'open'
  const [head, base] = [query.get('head'), query.get('base')]
  return (pull) => {
    if (state !== 'all' && pull.issue.body.state !== (state === 'closed' ? 'closed' : 'open')) {
      return false
    }
    // What is not `user:branch` is ignored, as GitHub does.
    const named = head?.includes(':') ? head : undefined
    if (named && `${pull.head.login}:${pull.head.ref}` !== named) return false
    return !base || pull.base.ref === base
  }
}

function order(query: URLSearchParams): (a: Pull, b: Pull) => number {
  const sort = query.get('sort') ?? 'created'
  const direction = query.get('direction') ?? (sort === 'created' ? 'desc' : 'asc')
  const sign = direction === 'asc' ? 1 : -1
  const key = ({ issue }: Pull) =>
    sort === 'popularity'
      ? String(issue.comments.length).padStart(9, '0')
      : sort === 'updated'
        ? issue.body.updated_at
        : issue.body.created_at
  return (a, b) => {
    const [left, right] = [key(a), key(b)]
    if (left === right) return sign * (a.issue.body.number - b.issue.body.number)
    return sign * (left < right ? -1 : 1)
  }
}

const list = repositoryRoutes({
  path: 'pulls',
  permission: 'pull_requests=read',
  handle: (ask, { body, work }) => {
    const pulls = [...work.pulls.values()].filter(matches(ask.query)).sort(order(ask.query))
    return paged(ask, `/repositories/${body.id}/pulls`, pulls, (pull) =>
      JSON.stringify(pullListed(pull)),
    )
  },
})

const get = repositoryRoutes({
  path: 'pulls/{pull_number}',
  permission: 'pull_requests=read',
  handle: (ask, repository) => {
    const pull = findPull(ask, repository)
    if (!pull) return notFound()
    const body = pullBody(ask.world, pull)
    // Whoever asks first starts the job that finds out.
    if (body.mergeable === null && pull.computes) {
      pull.own = { ...pull.own, ...pull.computes }
      touch(ask.world)
    }
    return withLastModified(text(200, JSON.stringify(body)), pull.issue.body.updated_at)
  },
})

const part = (name: string, write: (ask: Ask, pull: Pull) => readonly object[]): Route[] =>
  repositoryRoutes({
    path: `pulls/{pull_number}/${name}`,
    permission: 'pull_requests=read',
    handle: (ask, repository): Reply => {
      const pull = findPull(ask, repository)
      if (!pull) return notFound()
      const path = `/repositories/${repository.body.id}/pulls/${pull.issue.body.number}/${name}`
      return paged(ask, path, write(ask, pull), (item) => JSON.stringify(item))
    },
  })

export default [
  ...list,
  ...get,
  ...part('files', (_ask, pull) => filesOfPull(pull).slice(0, MOST_FILES)),
  ...part('commits', ({ world }, pull) => commitsOfPull(world, pull).slice(0, MOST_COMMITS)),
  ...part('reviews', (_ask, pull) => pull.reviews),
  ...part('comments', ({ query }, pull) => {
    const since = Date.parse(query.get('since') ?? '')
    return reviewCommentsOf(pull).filter(
      ({ updated_at }) => !since || Date.parse(String(updated_at)) >= since,
    )
  }),
]
