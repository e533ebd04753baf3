import { commitNamed } from '../commits.ts'
import { paged, pageOf, withLink } from '../pages.ts'
import { notFound, refusal, text } from '../replies.ts'
import type { Ask, Reply, Repository } from '../types.ts'
import type { StatusBody } from '../work-types.ts'
import { replay } from './recorded.ts'
import { repositoryRoutes } from './repository.ts'

/** The sha that a ref stands for; GitHub also knows shas that only checks name. */
function shaNamed({ params }: Ask, repository: Repository): string | undefined {
  const ref = params.ref ?? ''
  const { checkRuns, statuses } = repository.work
  const known = statuses.has(ref) || checkRuns.some(({ body }) => body.head_sha === ref)
  return known ? ref : commitNamed(repository, ref)?.sha
}

/** A list inside an object, which is how newer endpoints page. */
export function pagedIn(
  ask: Ask,
  path: string,
  name: string,
  items: readonly object[],
  most = Number.POSITIVE_INFINITY,
): Reply {
  const { page, perPage } = pageOf(ask.query)
  const shown = items.slice(0, most).slice((page - 1) * perPage, page * perPage)
  const body = JSON.stringify({ total_count: items.length, [name]: shown })
  return withLink(text(200, body), ask, path, Math.ceil(Math.min(items.length, most) / perPage))
}

const checkRuns = repositoryRoutes({
  path: 'commits/{ref}/check-runs',
  permission: 'checks=read',
  handle: (ask, repository) => {
    const sha = shaNamed(ask, repository)
    if (!sha) return refusal(422, `No commit found for SHA: ${ask.params.ref}`)
    const { query } = ask
    const [name, status] = [query.get('check_name'), query.get('status')]
    const all = repository.work.checkRuns.map(({ body }) => body)
    const found = all.filter(
      (run) =>
        run.head_sha === sha && (!name || run.name === name) && (!status || run.status === status),
    )
    const latest = new Map(found.map((run) => [JSON.stringify([run.name, run.app]), run]))
    const shown = query.get('filter') === 'all' ? found : [...latest.values()]
    const path = `/repositories/${repository.body.id}/commits/${ask.params.ref}/check-runs`
    return pagedIn(ask, path, 'check_runs', shown)
  },
})

const annotations = repositoryRoutes({
  path: 'check-runs/{check_run_id}/annotations',
  permission: 'checks=read',
  handle: (ask, { body, work }) => {
    const id = Number(ask.params.check_run_id)
    const check = work.checkRuns.find((run) => run.body.id === id)
    if (!check) return notFound()
    const path = `/repositories/${body.id}/check-runs/${id}/annotations`
    return paged(ask, path, check.annotations, (annotation) => JSON.stringify(annotation))
  },
})

const status = repositoryRoutes({
  path: 'commits/{ref}/status',
  permission: 'statuses=read',
  handle: (ask, repository) => {
    const sha = shaNamed(ask, repository)
    const recorded = `commits/${ask.params.ref}/status${ask.search}`
    if (!sha) return replay(ask, repository.recordings.get(recorded))
    const all = repository.work.statuses.get(sha) ?? []
    const latest = [...new Map(all.map((one) => [one.context, one])).values()]
    const { page, perPage } = pageOf(ask.query)
    const api = `https://api.github.com/repos/${repository.body.full_name}`
    const body = {
      state: combined(latest),
      statuses: latest.slice((page - 1) * perPage, page * perPage),
      sha,
      total_count: latest.length,
      repository: repository.body,
      commit_url: `${api}/commits/${sha}`,
      url: `${api}/commits/${sha}/status`,
    }
    const path = `/repositories/${repository.body.id}/commits/${ask.params.ref}/status`
    return withLink(text(200, JSON.stringify(body)), ask, path, Math.ceil(latest.length / perPage))
  },
})

/** As documented: failure beats pending, and no statuses at all are pending. */
function combined(statuses: readonly StatusBody[]): string {
  const states = statuses.map(({ state }) => state)
  if (states.some((state) => state === 'failure' || state === 'error')) return 'failure'
  return states.length === 0 || states.includes('pending') ? 'pending' : 'success'
}

export default [...checkRuns, ...annotations, ...status]
