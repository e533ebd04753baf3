import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call } from './github/client.ts'
import { diffTexts } from './github/diff.ts'
import {
  addCheckRun,
  addComments,
  addFiles,
  addJob,
  addPull,
  addRepository,
  addReview,
  addReviewThread,
  addRun,
  addStatus,
  documented,
  fileBody,
  type GitHub,
  mergePull,
  OCTOCAT_TOKEN,
  renameRepository,
  setCommitFiles,
  startGitHub,
  touch,
  updateIssue,
} from './github/index.ts'

const HELLO = '/repos/octocat/Hello-World'
const SHA = '6dcb09b5b57875f334f61aebed695e2e4193db5e'
const API = '/repos/acme/api'

let github: GitHub
beforeEach(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'acme', name: 'api', default_branch: 'main' })
})
afterEach(() => github.close())

const get = (path: string, token: string | null = OCTOCAT_TOKEN) => call(github, path, {}, token)
const json = async (path: string) => (await get(path)).json()

/** A commit for each text, one minute apart. */
function commit(count: number, branch = 'main', from?: string) {
  return Array.from({ length: count }, (_, i) =>
    addFiles(
      github.world,
      'acme/api',
      { [`${branch}-${i}.txt`]: `${i}\n` },
      {
        branch,
        ...(from && { from }),
        date: new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString(),
      },
    ),
  )
}

describe('what GitHub documents', () => {
  it.each([
    ['pulls/{pull_number}/files', 'pulls/1347/files'],
    ['pulls/{pull_number}/commits', 'pulls/1347/commits'],
    ['actions/runs/{run_id}', 'actions/runs/30433642'],
  ])('is what %s answers', async (template, path) => {
    const example = documented('GET', `/repos/{owner}/{repo}/${template}`)
    expect(await json(`${HELLO}/${path}`)).toEqual(example)
  })

  it('is in the pull request, but for its counts', async () => {
    const example = documented('GET', '/repos/{owner}/{repo}/pulls/{pull_number}') as object
    const body = await json(`${HELLO}/pulls/1347`)
    const counts = { commits: 1, changed_files: 1, comments: 1, review_comments: 1 }
    expect(body).toEqual({ ...example, ...counts, additions: 103, deletions: 21 })
    const [listed] = await json(`${HELLO}/pulls`)
    const [shown] = documented('GET', '/repos/{owner}/{repo}/pulls') as object[]
    expect(Object.keys(listed).sort()).toEqual(Object.keys(shown ?? {}).sort())
  })

  it('has a commit, checks, statuses and a failed run at its head', async () => {
    const body = await json(`${HELLO}/commits/new-topic`)
    expect(body).toMatchObject({ sha: SHA, stats: { additions: 10, deletions: 2, total: 12 } })
    expect((await json(`${HELLO}/commits/${SHA}/check-runs`)).total_count).toBe(3)
    expect((await json(`${HELLO}/commits/${SHA}/status`)).statuses).toHaveLength(2)
    expect(await json(`${HELLO}/compare/master...new-topic`)).toMatchObject({
      status: 'ahead',
      ahead_by: 1,
      files: [{ filename: 'file1.txt' }],
    })
    const { workflow_runs } = await json(`${HELLO}/actions/runs?branch=new-topic&status=failure`)
    expect(workflow_runs).toMatchObject([{ id: 30_433_643, head_sha: SHA }])
  })
})

describe('pull requests', () => {
  it('are issues too: what one changes, the other shows', async () => {
    const pull = addPull(github.world, 'acme/api', { title: 'One', user: 'ann', draft: true })
    addComments(github.world, pull.issue, 2)
    updateIssue(github.world, pull.issue, { title: 'Two' })
    expect(await json(`${API}/pulls/1`)).toMatchObject({
      number: 1,
      title: 'Two',
      draft: true,
      comments: 2,
      commits: 1,
      changed_files: 0,
      head: { label: 'acme:topic-1' },
      user: { login: 'ann' },
    })
    expect((await json(`${API}/issues/1`)).pull_request.url).toContain('/pulls/1')
    mergePull(github.world, pull, 'bob')
    expect(await json(`${API}/pulls/1`)).toMatchObject({
      state: 'closed',
      merged: true,
      merged_by: { login: 'bob' },
    })
  })

  it('do not know at first whether they can be merged', async () => {
    const computes = { mergeable: false, mergeable_state: 'dirty' }
    addPull(github.world, 'acme/api', {
      own: { mergeable: null, mergeable_state: 'unknown' },
      computes,
    })
    expect(await json(`${API}/pulls/1`)).toMatchObject({ mergeable: null })
    expect(await json(`${API}/pulls/1`)).toMatchObject(computes)
  })

  it('show the files and commits that git knows, and follow their branch', async () => {
    commit(1)
    addFiles(github.world, 'acme/api', { 'a.ts': 'one\n' }, { branch: 'topic', from: 'main' })
    addPull(github.world, 'acme/api', { head: 'topic' })
    addFiles(github.world, 'acme/api', { 'b.ts': 'two\n' }, { branch: 'topic' })
    const files = await json(`${API}/pulls/1/files`)
    expect(files).toMatchObject([
      { filename: 'a.ts', status: 'added', patch: '@@ -0,0 +1 @@\n+one' },
      { filename: 'b.ts' },
    ])
    const commits = await json(`${API}/pulls/1/commits`)
    const head = (await json(`${API}/pulls/1`)).head.sha
    expect(commits.map(({ sha }: { sha: string }) => sha).at(-1)).toBe(head)
    expect((await json(`${API}/commits/${encodeURIComponent('pull/1/head')}`)).sha).toBe(head)
  })

  it('come from forks, and stay when those are gone', async () => {
    const fork = addRepository(github.world, { owner: 'zoe', name: 'api' })
    addFiles(github.world, 'zoe/api', { 'c.ts': 'x\n' }, { branch: 'patch-1' })
    addPull(github.world, 'acme/api', { fork, head: 'patch-1' })
    addPull(github.world, 'acme/api', { fork: null })
    const [gone, there] = await json(`${API}/pulls`)
    expect(there.head).toMatchObject({ label: 'zoe:patch-1', repo: { full_name: 'zoe/api' } })
    expect(gone.head).toMatchObject({ repo: null, user: null })
  })

  it('list by state, base and head, in every order', async () => {
    commit(1, 'next')
    addPull(github.world, 'acme/api', { created_at: '2026-01-01T00:00:00Z', title: 'a' })
    addPull(github.world, 'acme/api', { created_at: '2026-01-02T00:00:00Z', base: 'next' })
    addPull(github.world, 'acme/api', { created_at: '2026-01-03T00:00:00Z', state: 'closed' })
    const numbers = async (query: string) =>
      (await json(`${API}/pulls${query}`)).map(({ number }: { number: number }) => number)
    expect(await numbers('')).toEqual([2, 1])
    expect(await numbers('?state=all&sort=created&direction=asc')).toEqual([1, 2, 3])
    expect(await numbers('?state=closed')).toEqual([3])
    expect(await numbers('?base=next')).toEqual([2])
    expect(await numbers('?head=acme:topic-1')).toEqual([1])
    expect((await get(`${API}/pulls/99`)).status).toBe(404)
  })

  it('list no more than 3,000 files and 250 commits', async () => {
    const files = Array.from({ length: 3_050 }, (_, i) => fileBody({ filename: `f${i}` }))
    addPull(github.world, 'acme/api', { files, own: { changed_files: 3_050 } })
    commit(260, 'long', 'main')
    addPull(github.world, 'acme/api', { head: 'long' })
    expect(await json(`${API}/pulls/1/files?per_page=100&page=30`)).toHaveLength(100)
    expect(await json(`${API}/pulls/1/files?per_page=100&page=31`)).toEqual([])
    expect((await json(`${API}/pulls/1`)).changed_files).toBe(3_050)
    expect(await json(`${API}/pulls/2/commits?per_page=100&page=3`)).toHaveLength(50)
    expect((await json(`${API}/pulls/2`)).commits).toBe(260)
  })

  it('have reviews and threads', async () => {
    const pull = addPull(github.world, 'acme/api')
    addReview(github.world, pull, { user: 'ann', state: 'CHANGES_REQUESTED', body: 'No.' })
    const comments = [{ user: null }, { body: 'Yes.' }]
    addReviewThread(github.world, pull.issue, { path: 'a.ts', line: null, comments })
    expect(await json(`${API}/pulls/1/reviews`)).toMatchObject([{ user: { login: 'ann' } }])
    const [one, two] = await json(`${API}/pulls/1/comments`)
    expect([one.line, one.user, two.in_reply_to_id]).toEqual([null, null, one.id])
    expect(one).not.toHaveProperty('in_reply_to_id')
    renameRepository(github.world, 'acme/api', 'rest')
    expect((await json('/repos/acme/rest/pulls/1/reviews'))[0].html_url).toContain(
      'github.com/acme/rest/pull/1#',
    )
  })
})

describe('commits', () => {
  it('list by path, author and time, newest first', async () => {
    const [first, second] = commit(3)
    addFiles(
      github.world,
      'acme/api',
      { 'docs/a.md': 'x' },
      { author: 'ann', date: '2026-02-01T00:00:00Z', branch: 'main' },
    )
    const shas = async (query: string) =>
      (await json(`${API}/commits?sha=main&${query}`)).map(({ sha }: { sha: string }) => sha)
    expect(await shas('')).toHaveLength(4)
    expect(await shas('path=main-0.txt')).toEqual([first?.sha])
    expect(await shas('path=docs')).toHaveLength(1)
    expect(await shas('until=2026-01-01T00:01:00Z')).toEqual([second?.sha, first?.sha])
    expect(await shas('since=2026-01-15T00:00:00Z')).toHaveLength(1)
    expect(await shas('author=ann@users.noreply.github.com')).toHaveLength(1)
    expect(await shas('author=octocat')).toHaveLength(3)
    expect(await shas('author=nobody')).toEqual([])
    expect((await get(`${API}/commits?sha=none`)).status).toBe(404)
    addRepository(github.world, { owner: 'acme', name: 'empty' })
    expect((await get('/repos/acme/empty/commits')).status).toBe(409)
    expect((await get(`${API}/commits/none`)).status).toBe(422)
  })

  it('show 300 files a page and 3,000 in all', async () => {
    const [{ sha } = { sha: '' }] = commit(1)
    const files = Array.from({ length: 3_100 }, (_, i) => fileBody({ filename: `f${i}` }))
    setCommitFiles(github.world, 'acme/api', sha, files)
    const first = await get(`${API}/commits/${sha}`)
    expect(first.json().files).toHaveLength(300)
    expect(first.headers.link).toContain('page=10>; rel="last"')
    expect((await json(`${API}/commits/${sha}?page=11`)).files).toEqual([])
  })

  it('compare: what is ahead, the last 250 of it unless by pages', async () => {
    commit(1)
    const ahead = commit(260, 'topic', 'main')
    commit(2)
    const path = `${API}/compare/main...topic`
    const whole = await json(path)
    expect(whole).toMatchObject({ status: 'diverged', ahead_by: 260, behind_by: 2 })
    expect(whole.commits).toHaveLength(250)
    expect(whole.commits.at(-1).sha).toBe(ahead.at(-1)?.sha)
    expect(whole.files).toHaveLength(260)
    const page = await get(`${path}?per_page=100&page=3`)
    expect(page.json().commits).toHaveLength(60)
    expect(page.json().files).toEqual([])
    expect((await json(`${API}/compare/topic...topic`)).status).toBe('identical')
    expect((await json(`${API}/compare/topic...main`)).behind_by).toBe(260)
    expect((await get(`${API}/compare/main...none`)).status).toBe(404)
  })

  it('differ as git says they do', () => {
    const folder = mkdtempSync(join(tmpdir(), 'diff-'))
    const [before, after] = [join(folder, 'before'), join(folder, 'after')]
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd', ''), { maxLength: 25 })
      .chain((lines) => fc.constantFrom(lines.join('\n'), `${lines.join('\n')}\n`))
    const check = (from: string, to: string) => {
      writeFileSync(before, from)
      writeFileSync(after, to)
      const { additions, deletions, patch } = diffTexts(from, to)
      if (patch !== undefined) {
        writeFileSync(join(folder, 'patch'), `--- before\n+++ before\n${patch}\n`)
        execFileSync('git', ['apply', '--whitespace=nowarn', 'patch'], { cwd: folder })
      }
      expect(readFileSync(before, 'utf8')).toBe(to)
      expect(additions - deletions).toBe(lines(to) - lines(from))
    }
    const lines = (value: string) => value.match(/[^\n]*\n|[^\n]+$/g)?.length ?? 0
    fc.assert(fc.property(text, text, check), { numRuns: 60 })
    expect(diffTexts(undefined, 'x')).toMatchObject({ changes: 0 })
    expect(diffTexts('', 'x\n'.repeat(30_000))).toEqual({
      status: 'modified',
      additions: 30_000,
      deletions: 0,
      changes: 30_000,
    })
  })

  it('know renamed, binary and deleted files, and other repositories', async () => {
    const long = Array.from({ length: 20 }, (_, i) => `line ${i}`).join('\n')
    const before = { 'old.txt': long, 'gone.txt': 'x\n', 'pic.png': Buffer.from([0, 1]) }
    addFiles(github.world, 'acme/api', before, { branch: 'main' })
    const { sha } = addFiles(
      github.world,
      'acme/api',
      {
        'old.txt': null,
        'new.txt': `${long}\nmore`,
        'gone.txt': null,
        'pic.png': Buffer.from([0, 2]),
        lib: { submodule: SHA },
      },
      { branch: 'main' },
    )
    const { files } = await json(`${API}/commits/${sha}`)
    expect(files).toMatchObject([
      { filename: 'gone.txt', status: 'removed', patch: '@@ -1 +0,0 @@\n-x' },
      { filename: 'lib', status: 'added', patch: `@@ -0,0 +1 @@\n+Subproject commit ${SHA}` },
      { filename: 'new.txt', status: 'renamed', previous_filename: 'old.txt' },
      { filename: 'pic.png', status: 'modified', changes: 0 },
    ])
    expect(files[3]).not.toHaveProperty('patch')
  })
})

describe('checks', () => {
  it('list the latest of each name, in pages, with annotations', async () => {
    const head_sha = commit(1)[0]?.sha ?? ''
    addCheckRun(github.world, 'acme/api', { head_sha, name: 'lint', conclusion: 'failure' })
    const annotations = Array.from({ length: 40 }, (_, i) => ({ start_line: i }))
    const { body } = addCheckRun(github.world, 'acme/api', { head_sha, name: 'lint', annotations })
    addCheckRun(github.world, 'acme/api', { head_sha, name: 'test', status: 'in_progress' })
    const path = `${API}/commits/main/check-runs`
    const { check_runs, total_count } = await json(path)
    expect(total_count).toBe(2)
    expect(check_runs).toMatchObject([
      { name: 'lint', conclusion: 'success', output: { annotations_count: 40 } },
      { name: 'test', conclusion: null, completed_at: null },
    ])
    expect((await json(`${path}?filter=all`)).total_count).toBe(3)
    expect((await get(`${path}?per_page=1`)).headers.link).toContain('rel="next"')
    const listed = await get(`${API}/check-runs/${body.id}/annotations`)
    expect(listed.json()).toHaveLength(30)
    expect(listed.headers.link).toContain('page=2')
    expect((await get(`${API}/commits/none/check-runs`)).status).toBe(422)
  })

  it('combine statuses by their latest', async () => {
    const sha = commit(1)[0]?.sha ?? ''
    expect(await json(`${API}/commits/${sha}/status`)).toMatchObject({
      state: 'pending',
      total_count: 0,
    })
    addStatus(github.world, 'acme/api', { sha, context: 'ci', state: 'failure' })
    addStatus(github.world, 'acme/api', { sha, context: 'cla', state: 'success' })
    expect((await json(`${API}/commits/main/status`)).state).toBe('failure')
    addStatus(github.world, 'acme/api', { sha, context: 'ci', state: 'success' })
    expect(await json(`${API}/commits/main/status`)).toMatchObject({
      state: 'success',
      total_count: 2,
    })
  })
})

describe('workflow runs', () => {
  const failed = () => {
    const head_sha = commit(1)[0]?.sha ?? ''
    const run = addRun(github.world, 'acme/api', { head_sha, conclusion: 'failure' })
    const job = addJob(github.world, 'acme/api', run, {
      conclusion: 'failure',
      steps: [
        { name: 'Build', log: ['building'] },
        { name: 'Test', conclusion: 'failure', log: ['##[error]no'] },
      ],
    })
    return { run, job, path: `${API}/actions/jobs/${job.body.id}/logs` }
  }

  it('have jobs that are check runs, with steps', async () => {
    const { run, job } = failed()
    const { jobs } = await json(`${API}/actions/runs/${run.body.id}/jobs`)
    expect(jobs).toMatchObject([
      { id: job.body.id, conclusion: 'failure', steps: [{ number: 1 }, { conclusion: 'failure' }] },
    ])
    const { check_runs } = await json(`${API}/commits/${run.body.head_sha}/check-runs`)
    expect(check_runs).toMatchObject([{ id: job.body.id, app: { slug: 'github-actions' } }])
    expect(check_runs[0].details_url).toContain(`/actions/runs/${run.body.id}/job/${job.body.id}`)
    expect((await get(`${API}/actions/runs/1`)).status).toBe(404)
  })

  it('keep logs on another host, for a minute, for whoever brings no credential there', async () => {
    const { path } = failed()
    const answer = await request(github.url + path, {
      headers: { 'user-agent': 'test', authorization: `Bearer ${OCTOCAT_TOKEN}` },
    })
    const location = String(answer.headers.location)
    expect([answer.statusCode, new URL(location).origin]).toEqual([302, github.blobs.url])
    expect(new URL(location).host).not.toBe(new URL(github.url).host)
    const fetched = await request(location)
    expect(Buffer.from(await fetched.body.arrayBuffer()).toString()).toMatch(
      /^\ufeff\d{4}-\d\d-\d\dT[\d:.]+Z building\n\S+Z ##\[error\]no\n$/,
    )
    const refused = await request(location, { headers: { authorization: 'Bearer x' } })
    expect(refused.statusCode).toBe(400)
    const now = Date.now()
    github.world.now = () => now + 120_000
    expect((await request(location)).statusCode).toBe(403)
    expect(
      github.blobs.requests.map(({ authorization, status }) => [authorization, status]),
    ).toEqual([
      [undefined, 200],
      ['Bearer x', 400],
      [undefined, 403],
    ])
  })

  it('show no logs to nobody, nor those that are gone or not there yet', async () => {
    const { path, job } = failed()
    expect((await get(path, null)).status).toBe(403)
    job.log = { expired: true }
    touch(github.world)
    expect((await get(path)).status).toBe(410)
    delete job.log
    touch(github.world)
    expect((await get(path)).status).toBe(404)
  })

  it('list by branch, sha and outcome, newest first', async () => {
    for (const [minute, conclusion] of ['success', 'failure', 'failure'].entries()) {
      const created_at = `2026-01-01T00:0${minute}:00Z`
      addRun(github.world, 'acme/api', { id: minute + 1, head_sha: SHA, conclusion, created_at })
    }
    addRun(github.world, 'acme/api', { id: 9, head_sha: 'x', head_branch: 'b', status: 'queued' })
    const ids = async (query: string) =>
      (await json(`${API}/actions/runs?${query}`)).workflow_runs.map(({ id }: { id: number }) => id)
    expect(await ids('')).toEqual([9, 3, 2, 1])
    expect(await ids('status=failure&per_page=1')).toEqual([3])
    expect(await ids(`head_sha=${SHA}`)).toEqual([3, 2, 1])
    expect(await ids('branch=b')).toEqual([9])
    expect(await ids('status=queued')).toEqual([9])
  })
})
