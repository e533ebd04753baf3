import { commitBody, commitNamed, compareCommits, filesBetween, filesOfCommit } from '../commits.ts'
import { type GitCommit, historyOf } from '../git.ts'
import { paged, pageOf, withLink } from '../pages.ts'
import { invalid, notFound, refusal, text, withLastModified } from '../replies.ts'
import type { Ask, Reply, Repository } from '../types.ts'
import { repositoryRoutes } from './repository.ts'

/** As documented: files of a commit come 300 a page and 3,000 in all, those of a comparison 300 in all. */
const FILES_A_PAGE = 300
const MOST_FILES = 3_000
const MOST_COMMITS = 250

function matches(repository: Repository, { query, world }: Ask): (commit: GitCommit) => boolean {
  const path = query.get('path')?.replace(/\/+$/, '')
  const author = query.get('author')?.toLowerCase()
  const since = Date.parse(query.get('since') ?? '')
  const until = Date.parse(query.get('until') ?? '')
  return (commit) => {
    const at = Date.parse(commit.committer.date)
    if (since && at < since) return false
    if (until && at > until) return false
    if (author && !isBy(commit, author, world.profiles.get(author)?.login)) return false
    if (!path) return true
    return filesOfCommit(repository, commit).some(
      ({ filename, previous_filename }) =>
        filename === path || filename.startsWith(`${path}/`) || previous_filename === path,
    )
  }
}

function isBy({ author }: GitCommit, asked: string, login: string | undefined): boolean {
  const email = author.email.toLowerCase()
  return email === asked || (login !== undefined && email === `${asked}@users.noreply.github.com`)
}

const list = repositoryRoutes({
  path: 'commits',
  permission: 'contents=read',
  handle: (ask, repository) => {
    const { git, body } = repository
    if (git.commits.size === 0) return refusal(409, 'Git Repository is empty.')
    const head = commitNamed(repository, ask.query.get('sha') ?? 'HEAD')
    if (!head) return notFound()
    for (const name of ['since', 'until']) {
      const time = ask.query.get(name)
      if (time !== null && Number.isNaN(Date.parse(time))) return invalid('Commit', name)
    }
    const commits = historyOf(git, head.sha).filter(matches(repository, ask))
    return paged(ask, `/repositories/${body.id}/commits`, commits, (commit) =>
      JSON.stringify(commitBody(ask.world, repository, commit)),
    )
  },
})

const get = repositoryRoutes({
  path: 'commits/{ref}',
  permission: 'contents=read',
  handle: (ask, repository) => {
    const ref = ask.params.ref ?? ''
    const commit = commitNamed(repository, ref)
    if (!commit) return refusal(422, `No commit found for SHA: ${ref}`)
    const files = filesOfCommit(repository, commit)
    const sum = (key: 'additions' | 'deletions') => files.reduce((all, file) => all + file[key], 0)
    const [additions, deletions] = [sum('additions'), sum('deletions')]
    const perPage = ask.query.has('per_page') ? pageOf(ask.query).perPage : FILES_A_PAGE
    const start = (pageOf(ask.query).page - 1) * perPage
    const listed = files.slice(0, MOST_FILES)
    const body = {
      ...commitBody(ask.world, repository, commit),
      stats: { total: additions + deletions, additions, deletions },
      files: listed.slice(start, start + perPage),
    }
    const reply = withLastModified(text(200, JSON.stringify(body)), commit.committer.date)
    const path = `/repositories/${repository.body.id}/commits/${ref}`
    return withLink(reply, ask, path, Math.ceil(listed.length / perPage))
  },
})

/** `owner:branch` is the fork of that owner, if there is one by this name. */
function endNamed(ask: Ask, repository: Repository, name: string): GitCommit | undefined {
  const [, owner, ref = name] = /^([^:]+):(.+)$/.exec(name) ?? []
  if (!owner) return commitNamed(repository, ref)
  const id = ask.world.names.get(`${owner}/${repository.body.name}`.toLowerCase())
  const fork = ask.world.repositories.get(id ?? -1)
  return fork && commitNamed(fork, ref)
}

const compare = repositoryRoutes({
  path: 'compare/{+basehead}',
  permission: 'contents=read',
  handle: (ask, repository): Reply => {
    const [from = '', to = ''] = (ask.params.basehead ?? '').split('...')
    const base = endNamed(ask, repository, from)
    const head = endNamed(ask, repository, to)
    if (!base || !head) return notFound()
    const comparison = compareCommits(repository, base.sha, head.sha)
    const { mergeBase, ahead, behind } = comparison
    // Histories that have nothing in common.
    if (!mergeBase) return notFound()
    const write = (commit: GitCommit) => commitBody(ask.world, repository, commit)
    const { page, perPage } = pageOf(ask.query)
    const isPaged = ask.query.has('page') || ask.query.has('per_page')
    const start = (page - 1) * perPage
    const shown = isPaged ? ahead.slice(start, start + perPage) : ahead.slice(-MOST_COMMITS)
    const files = filesBetween(repository, comparison, head.sha).slice(0, FILES_A_PAGE)
    const api = `https://api.github.com/repos/${repository.body.full_name}/compare/${from}...${to}`
    const page_ = `https://github.com/${repository.body.full_name}/compare/${from}...${to}`
    const body = {
      url: api,
      html_url: page_,
      permalink_url: page_,
      diff_url: `${page_}.diff`,
      patch_url: `${page_}.patch`,
      base_commit: write(base),
      merge_base_commit: write(mergeBase),
      status: statusOf(ahead.length, behind),
      ahead_by: ahead.length,
      behind_by: behind,
      total_commits: ahead.length,
      commits: shown.map(write),
      files: page === 1 ? files : [],
    }
    const reply = text(200, JSON.stringify(body))
    const path = `/repositories/${repository.body.id}/compare/${from}...${to}`
    const last = isPaged ? Math.ceil(ahead.length / perPage) : 1
    return withLink(reply, ask, path, last)
  },
})

function statusOf(ahead: number, behind: number): string {
  if (ahead > 0) return behind > 0 ? 'diverged' : 'ahead'
  return behind > 0 ? 'behind' : 'identical'
}

export default [...list, ...get, ...compare]
