import { runBody } from '../actions.ts'
import { signedPath } from '../blobs.ts'
import { notFound, refusal, text, withHeaders } from '../replies.ts'
import type { Ask, Reply, Repository } from '../types.ts'
import type { Job, Run } from '../work-types.ts'
import { pagedIn } from './checks.ts'
import { repositoryRoutes } from './repository.ts'

/** Of a filtered list GitHub shows no more. */
const MOST_RUNS = 1_000

function matches(query: URLSearchParams): (run: Run) => boolean {
  const asked = (name: string) => query.get(name)
  const status = asked('status')
  return ({ body }) =>
    (!asked('branch') || body.head_branch === asked('branch')) &&
    (!asked('head_sha') || body.head_sha === asked('head_sha')) &&
    (!asked('event') || body.event === asked('event')) &&
    (!status || body.status === status || body.conclusion === status)
}

const list = repositoryRoutes({
  path: 'actions/runs',
  permission: 'actions=read',
  handle: (ask, repository) => {
    const { body, work } = repository
    const runs = [...work.runs.values()]
      .filter(matches(ask.query))
      .sort(({ body: a }, { body: b }) =>
        a.created_at === b.created_at ? b.id - a.id : later(a, b),
      )
      .map((run) => runBody(repository, run))
    return pagedIn(ask, `/repositories/${body.id}/actions/runs`, 'workflow_runs', runs, MOST_RUNS)
  },
})

const later = (a: Run['body'], b: Run['body']) => (a.created_at < b.created_at ? 1 : -1)

const findRun = ({ params }: Ask, { work }: Repository) => work.runs.get(Number(params.run_id))

const get = repositoryRoutes({
  path: 'actions/runs/{run_id}',
  permission: 'actions=read',
  handle: (ask, repository) => {
    const run = findRun(ask, repository)
    return run ? text(200, JSON.stringify(runBody(repository, run))) : notFound()
  },
})

const jobs = repositoryRoutes({
  path: 'actions/runs/{run_id}/jobs',
  permission: 'actions=read',
  handle: (ask, repository) => {
    const run = findRun(ask, repository)
    if (!run) return notFound()
    const all = run.jobs.map(({ body }) => body)
    const latest = all.filter(({ run_attempt }) => run_attempt === run.body.run_attempt)
    const path = `/repositories/${repository.body.id}/actions/runs/${run.body.id}/jobs`
    return pagedIn(ask, path, 'jobs', ask.query.get('filter') === 'all' ? all : latest)
  },
})

const job = repositoryRoutes({
  path: 'actions/jobs/{job_id}',
  permission: 'actions=read',
  handle: (ask, repository) => {
    const found = findJob(ask, repository)
    return found ? text(200, JSON.stringify(found.body)) : notFound()
  },
})

/** Logs of public repositories too are only for who has an account. */
const logs = repositoryRoutes({
  path: 'actions/jobs/{job_id}/logs',
  permission: 'actions=read',
  unkept: true,
  handle: (ask, repository): Reply => {
    const found = findJob(ask, repository)
    if (!found) return notFound()
    if (ask.principal.kind === 'anonymous') {
      return refusal(403, 'Must have admin rights to Repository.')
    }
    const { body, location, log } = found
    if (typeof log === 'object') return refusal(410, 'Server Error')
    if (log === undefined) return notFound()
    const target = location ?? ask.blobOrigin + signedPath(ask.world, body.id)
    return withHeaders(text(302, ''), 'Location', target)
  },
})

function findJob({ params }: Ask, { work }: Repository): Job | undefined {
  const id = Number(params.job_id)
  return [...work.runs.values()].flatMap((run) => run.jobs).find(({ body }) => body.id === id)
}

export default [...list, ...get, ...jobs, ...job, ...logs]
