import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, type Block, type Context, startApp } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addAccount,
  addCheckRun,
  addClosing,
  addComments,
  addFiles,
  addIssue,
  addJob,
  addMention,
  addPull,
  addRepository,
  addReview,
  addReviewThread,
  addRun,
  addStatus,
  type GitHub,
  mergePull,
  type Pull,
  type PullOptions,
  renameRepository,
  updatePull,
} from '../support/github/index.ts'
import { hunksIn } from '../support/patches.ts'
import { entriesIn, startTalk, TALK, TALK_ENV } from '../support/talk.ts'

let github: GitHub
let app: App
beforeAll(async () => {
  ;({ github, app } = await startTalk())
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const numberOf = (pull: Pull) => pull.issue.body.number
const pull = (options: PullOptions = {}) => addPull(github.world, TALK, options)
const shaOf = ({ head }: Pull) => head.sha

const request = (of: Pull | number, params: object = {}) => ({
  context_type: 'github_pull_request',
  params: {
    owner: 'octo',
    repo: 'talk',
    pull_number: typeof of === 'number' ? of : numberOf(of),
    ...params,
  },
})

const block = ({ context }: Context, type: string): Block => {
  const found = context.find((one) => one.type === `github_pull_request${type && `_${type}`}`)
  if (!found) throw new Error(`no block of ${type}`)
  return found
}

/** A pull request with something of everything. */
function busyPull(): Pull {
  const { world } = github
  const branch = `topic-${world.nextId}`
  addFiles(
    world,
    TALK,
    { 'src/login.ts': 'two\n', 'yarn.lock': 'x\n' },
    { branch, from: 'main', author: 'octocat', message: 'Log in twice' },
  )
  const made = pull({
    head: branch,
    title: 'Log in twice',
    body: 'Once is not enough.',
    user: 'ann',
    author_association: 'CONTRIBUTOR',
    labels: ['auth'],
    own: { mergeable_state: 'blocked' },
  })
  addComments(world, made.issue, 1, () => ({ body: 'Why twice?', user: 'eve' }))
  addReview(world, made, {
    user: 'bob',
    state: 'CHANGES_REQUESTED',
    body: 'Say why.',
    author_association: 'MEMBER',
  })
  addReview(world, made, { user: 'bob', state: 'COMMENTED', body: '' })
  addReviewThread(world, made.issue, {
    path: 'src/login.ts',
    line: 1,
    diffHunk: '@@ -1 +1 @@\n-one\n+two',
    comments: [
      { user: 'bob', body: 'Two is many.', author_association: 'MEMBER' },
      { user: 'ann', body: 'It is not.', author_association: 'CONTRIBUTOR' },
    ],
  })
  addReviewThread(world, made.issue, { isResolved: true, comments: [{ body: 'A typo.' }] })
  const run = addRun(world, TALK, { head_sha: shaOf(made), conclusion: 'failure' })
  addJob(world, TALK, run, { name: 'test', conclusion: 'failure', annotations: [{ message: 'x' }] })
  addCheckRun(world, TALK, { head_sha: shaOf(made), name: 'lint' })
  addStatus(world, TALK, { sha: shaOf(made), context: 'cla', state: 'success' })
  return made
}

describe('github_pull_request', () => {
  it('tells what it is, what stands in its way, and what it changes', async () => {
    const made = busyPull()
    const number = numberOf(made)
    const { context, omitted } = await app.context(request(made))
    expect(context.map(({ type }) => type)).toEqual([
      'github_pull_request',
      'github_pull_request_reviews',
      'github_pull_request_threads',
      'github_pull_request_files',
      'github_pull_request_checks',
    ])
    expect(context[0]).toEqual({
      type: 'github_pull_request',
      id: `github_pull_request:octo/talk#${number}`,
      title: 'Log in twice',
      url: `https://github.com/octo/talk/pull/${number}`,
      trust: 'contributor',
      number,
      state: 'open',
      draft: false,
      author: 'ann',
      author_association: 'CONTRIBUTOR',
      labels: ['auth'],
      assignees: expect.any(Array),
      reviewers: [],
      milestone: null,
      base: 'main',
      base_sha: expect.stringMatching(/^[0-9a-f]{40}$/),
      head: made.head.ref,
      head_sha: shaOf(made),
      head_repository: 'octo/talk',
      created_at: expect.any(String),
      updated_at: expect.any(String),
      closed_at: null,
      merged_at: null,
      body: 'Once is not enough.',
      mergeable: true,
      mergeable_state: 'blocked',
      merged_by: null,
      auto_merge: false,
      additions: 2,
      deletions: 1,
      changed_files: 2,
      commits_count: 1,
      comments_count: 1,
      review_comments_count: 3,
      content: expect.stringMatching(
        /^# Pull request octo\/talk#\d+\n> Log in twice\nhttps:\S+\nState: open · Author: ann \(contributor\) · Created: \S+\nBranches: \S+ → main · Labels: auth\nMergeable: yes \(blocked\) · Files: 2 · .*\n\n> Once is not enough\.$/,
      ),
      tokens: expect.any(Number),
    })
    const [, reviews, threads, files, checks] = context.map(({ content }) => content)
    expect(reviews).toMatch(/\n### changes requested by bob \(member\), \S+\n> Say why\./)
    expect(reviews).toContain('Latest: bob changes requested')
    expect(threads).toMatch(
      /\n### Thread on src\/login\.ts:1 \(unresolved\)\n@@ -1 \+1 @@\n-one\n\+two\n#### bob \(member\), \S+\n> Two is many\.\n#### ann/,
    )
    expect(threads).not.toContain('typo')
    expect(files).toMatch(/\n> modified \+1 −1 src\/login\.ts\n> added \+1 −0 yarn\.lock$/)
    expect(checks).toMatch(
      /\n\n- failure: test \(github-actions\) · Workflow run: \d+ · Annotations: 1\n\n### success, by octoapp\n- lint\n\n### success\n- cla$/,
    )
    expect(omitted.map(({ what, count, reason }) => [what, count, reason])).toEqual([
      ['threads', 1, 'resolved'],
      ['comments', 1, 'include'],
      ['patches', 2, 'include'],
      ['commits', 1, 'include'],
      ['linked', undefined, 'include'],
    ])
    const rest = await follow(app, omitted)
    const text = rest.map(({ content }) => content).join('\n')
    for (const words of ['A typo.', 'Why twice?', '+two', 'Log in twice', 'Nothing is linked.']) {
      expect(text).toContain(words)
    }
    expect(text).not.toContain('Once is not enough.')
  })

  it('does not show a hunk again that its patch has', async () => {
    const made = busyPull()
    const { context } = await app.context(request(made, { include: ['patches', 'reviews'] }))
    const block = (type: string) => context.find((one) => one.type.endsWith(type))
    expect(block('_files')?.content).toContain('@@ -1 +1 @@\n-one\n+two')
    expect(block('_threads')?.content).toMatch(
      /\n### Thread on src\/login\.ts:1 \(unresolved\), in hunk 1 of its patch above\n\+two\n#### bob \(member\), \S+\n> Two is many\./,
    )
    expect(block('_threads')?.content).not.toContain('@@')
    expect(block('_threads')?.threads).toMatchObject([{ hunk: '@@ -1 +1 @@\n-one\n+two' }])
    // Another hunk than what is there now is shown.
    addReviewThread(github.world, made.issue, {
      path: 'src/login.ts',
      diffHunk: '@@ -1 +1 @@\n-one\n+three',
      comments: [{ body: 'Gone now.' }],
    })
    const again = await app.context({
      ...request(made, { include: ['patches', 'reviews'] }),
      max_age: 0,
    })
    const threads = again.context.find(({ type }) => type.endsWith('_threads'))
    expect(threads?.content).toContain('@@ -1 +1 @@\n-one\n+three\n#### ')
  })

  it('holds the parts that are asked for, and no others', async () => {
    const made = busyPull()
    const types = async (include: readonly string[]) =>
      (await app.context(request(made, { include }))).context
        .slice(1)
        .map(({ type }) => type.replace('github_pull_request_', ''))
    expect(await types([])).toEqual([])
    expect(await types(['files'])).toEqual(['files'])
    expect(await types(['threads'])).toEqual(['threads'])
    expect(await types(['statuses'])).toEqual(['checks'])
    expect(await types(['linked', 'checks', 'commits', 'comments', 'reviews', 'patches'])).toEqual([
      'reviews',
      'files',
      'threads',
      'github_issue_comments',
      'commits',
      'linked',
      'checks',
    ])
    const patches = await app.context(request(made, { include: ['patches'] }))
    expect(hunksIn(patches.context)).toEqual(['src/login.ts#1', 'yarn.lock#1'])
    const all = await app.context(request(made, { include: ['threads'] }))
    expect(entriesIn(all.context, 'threads').map(({ resolved }) => resolved)).toEqual([false, true])
    expect([patches.omitted, all.omitted]).toEqual([[], []])
  })

  it('says what it closes and what mentions it, as far as the operator allows', async () => {
    const { world } = github
    const made = busyPull()
    addRepository(world, { owner: 'other', name: 'place' })
    addClosing(world, made.issue, addIssue(world, TALK, { title: 'Log in fails', user: 'eve' }))
    addMention(world, addIssue(world, 'other/place', { title: 'Elsewhere' }), made.issue)
    const linked = async (on: App) =>
      entriesIn((await on.context(request(made, { include: ['linked'] }))).context, 'linked').map(
        ({ relation, title }) => `${relation} ${title}`,
      )
    expect(await linked(app)).toEqual(['closes Log in fails', 'mentioned_by Elsewhere'])
    await using narrow = await startApp({ github, env: { ...TALK_ENV, ALLOWED_REPOS: 'octo/*' } })
    expect(await linked(narrow)).toEqual(['closes Log in fails'])
  })

  it.each([
    [{ offset: 0 }, 'include'],
    [{ include: ['reviews', 'files'], limit: 3 }, 'include'],
    [{ include: ['reviews'], after: 'x' }, 'after'],
    [{ include: ['threads'], after: 'x', offset: 1 }, 'after'],
    [{ include: ['everything'] }, 'include/0'],
    [{ include: ['files', 'files'] }, 'include'],
    [{ pull_number: 'one' }, 'pull_number'],
  ])('refuses %o', async (params, name) => {
    const answer = await app.post(request(1, params))
    expect([answer.status, answer.text]).toEqual([
      400,
      expect.stringContaining(`"pointer":"/params/${name}"`),
    ])
  })

  it('is 404 where there is none', async () => {
    expect((await app.post(request(99_999))).status).toBe(404)
    const issue = addIssue(github.world, TALK)
    expect((await app.post(request(issue.body.number))).status).toBe(404)
  })

  it('survives what is null, gone, merged or empty', async () => {
    const made = pull({ user: null, body: null, fork: null, draft: true })
    addReview(github.world, made, { user: null, body: '', submitted_at: null })
    addReviewThread(github.world, made.issue, {
      line: null,
      isOutdated: true,
      comments: [{ user: null, body: '' }],
    })
    const { context } = await app.context(
      request(made, { include: ['reviews', 'files', 'checks', 'commits', 'comments', 'linked'] }),
    )
    const text = context.map(({ content }) => content).join('\n')
    expect(text).not.toMatch(/null|undefined|NaN/)
    for (const words of [
      'State: open (draft) · Author: ghost',
      '> (no description)',
      '(of a repository that is gone) → main',
      '### approved by ghost',
      '(unresolved, outdated)',
      'No files.',
      'No checks.',
      'No comments.',
      'Nothing is linked.',
    ]) {
      expect(text).toContain(words)
    }
    mergePull(github.world, made, 'octocat')
    const merged = await app.context({ ...request(made, { include: [] }), max_age: 0 })
    expect(merged.context[0]).toMatchObject({ state: 'merged', merged_by: 'octocat' })
    expect(merged.context[0]?.content).toContain('Merged by: octocat')
    expect(merged.context[0]?.content).not.toContain('Mergeable')
  })

  it('goes by the new name after a rename', async () => {
    addRepository(github.world, { owner: 'octo', name: 'old', default_branch: 'main' })
    const made = addPull(github.world, 'octo/old', {})
    renameRepository(github.world, 'octo/old', 'young')
    const asked = request(made)
    const params = { ...asked.params, repo: 'old' }
    const { context, omitted } = await app.context({ ...asked, params })
    expect(context[0]?.id).toBe(`github_pull_request:octo/young#${numberOf(made)}`)
    expect(omitted.every(({ next }) => next?.params.repo === 'young')).toBe(true)
  })

  it('has a GET form, and a page on GitHub', async () => {
    const number = numberOf(busyPull())
    for (const [path, types] of [
      [
        `/mcp/context/github_pull_request?owner=octo&repo=talk&pull_number=${number}&include=files,commits`,
        3,
      ],
      [`/mcp/context?url=https://github.com/octo/talk/pull/${number}`, 5],
      [`/mcp/context?url=https://github.com/octo/talk/pull/${number}&include=`, 1],
    ] as const) {
      const { context } = (await app.get(path)).json<Context>()
      expect([context[0]?.number, context.length]).toEqual([number, types])
    }
  })
})

describe('how long it is kept', () => {
  const ttl = async (made: Pull, params: object = {}) => {
    await app.post(request(made, params))
    const again = await app.post(request(made, params))
    return Number(/ttl=(-?\d+)/.exec(String(again.headers['cache-status']))?.[1])
  }

  it('is two seconds while GitHub finds out whether it can be merged', async () => {
    const made = pull({ own: { mergeable: null, mergeable_state: 'unknown' } })
    expect(await ttl(made)).toBeLessThanOrEqual(2)
    const { context } = await app.context(request(made))
    expect(context[0]?.content).toContain('Mergeable: not known yet, GitHub is finding out')
    updatePull(github.world, made, { mergeable: false, mergeable_state: 'dirty' })
    const later = await app.context({ ...request(made), max_age: 0 })
    expect(later.context[0]?.content).toContain('Mergeable: no (conflicts)')
  })

  it('is ten seconds while checks run, and a minute when they are done', async () => {
    const made = pull()
    addCheckRun(github.world, TALK, { head_sha: shaOf(made), name: 'a', status: 'in_progress' })
    expect(await ttl(made)).toBeGreaterThan(2)
    expect(await ttl(made)).toBeLessThanOrEqual(11)
    expect(await ttl(made, { include: ['files'] })).toBeGreaterThan(11)
    const done = pull()
    addCheckRun(github.world, TALK, { head_sha: shaOf(done), name: 'a' })
    expect(await ttl(done)).toBeGreaterThan(11)
  })
})

describe('what a credential may not do', () => {
  it('anonymous: threads come without their state, and that is said', async () => {
    const made = busyPull()
    await using strangers = await startApp({ github, env: { ...TALK_ENV, GITHUB_TOKEN: '' } })
    const answer = await strangers.context(request(made, { include: ['reviews', 'linked'] }))
    expect(entriesIn(answer.context, 'threads')).toMatchObject([
      { path: 'src/login.ts', resolved: null, hunk: '@@ -1 +1 @@\n-one\n+two' },
      { resolved: null },
    ])
    expect(entriesIn(entriesIn(answer.context, 'threads') as never, 'comments')).toHaveLength(3)
    expect(block(answer, 'linked').content).toContain('known callers only')
    expect(answer.omitted).toEqual([
      { what: 'which threads are resolved', reason: 'upstream_forbidden' },
      { what: 'linked', reason: 'upstream_forbidden' },
    ])
    const window = request(made, { include: ['threads'], offset: 1, limit: 5 })
    expect(entriesIn((await strangers.context(window)).context, 'threads')).toHaveLength(1)
  })

  it('where GraphQL fails, the other interface answers', async () => {
    const made = busyPull()
    const fault = github.fault({ match: '/graphql', kind: 'status', status: 500 })
    const { context, omitted } = await app.context(request(made, { include: ['reviews'] }))
    fault.remove()
    expect(entriesIn(context, 'threads')).toHaveLength(2)
    expect(omitted).toEqual([{ what: 'which threads are resolved', reason: 'upstream_error' }])
  })

  it('without permission for checks all the rest is answered', async () => {
    const token = 'github_pat_11AAAA_narrow'
    addAccount(github.world, {
      login: 'narrow',
      token,
      permissions: { pull_requests: 'read', contents: 'read' },
    })
    const name = { owner: 'octo', name: 'secret', default_branch: 'main', readers: ['narrow'] }
    addRepository(github.world, { ...name, private: true })
    const made = addPull(github.world, 'octo/secret', { title: 'Hidden' })
    await using limited = await startApp({ github, env: { ...TALK_ENV, GITHUB_TOKEN: token } })
    const asked = request(made)
    const answer = await limited.context({ ...asked, params: { ...asked.params, repo: 'secret' } })
    expect(answer.context[0]?.title).toBe('Hidden')
    expect(block(answer, 'checks').content).toContain('checks=read')
    expect(answer.omitted).toContainEqual({ what: 'checks', reason: 'upstream_forbidden' })
    const stranger = await app.post({ ...asked, params: { ...asked.params, repo: 'secret' } })
    expect(stranger.status).toBe(404)
  })
})

describe('rounds', () => {
  it('are two: what hangs on the head comes in the second', async () => {
    const made = busyPull()
    const include = ['reviews', 'checks', 'files', 'comments', 'commits', 'linked']
    github.resetCounts()
    github.latencyMs = 400
    await app.context(request(made, { include }))
    github.latencyMs = 0
    expect(github.rounds()).toBe(2)
    // The pull request, reviews, files, comments, commits; two by GraphQL; check runs and statuses.
    expect(github.count()).toBe(9)
  })

  it('are two where threads must be put together from hundreds of comments', async () => {
    const made = busyPull()
    for (let i = 0; i < 230; i++) {
      addReviewThread(github.world, made.issue, { comments: [{ body: `Remark ${i}` }] })
    }
    const body = { message: 'Resource not accessible by personal access token' }
    const fault = github.fault({ kind: 'status', status: 403, body, match: /graphql/ })
    github.resetCounts()
    github.latencyMs = 400
    const { context } = await app.context({
      ...request(made, { include: ['threads'], limit: 1_000 }),
      max_age: 0,
    })
    github.latencyMs = 0
    fault.remove()
    const [, threads] = context
    expect(threads?.threads).toHaveLength(232)
    expect(github.count({ path: /\/pulls\/\d+\/comments/ })).toBe(3)
    expect(github.rounds()).toBe(2)
  })

  it('are one without checks', async () => {
    const made = busyPull()
    github.resetCounts()
    github.latencyMs = 400
    await app.context(request(made, { include: ['reviews', 'files'] }))
    github.latencyMs = 0
    expect([github.count(), github.rounds()]).toEqual([4, 1])
  })
})

describe('a stream', () => {
  it('has the description before the files are there', async () => {
    const made = busyPull()
    const held = github.fault({ match: /\/files\?/, kind: 'delay', ms: 1_500 })
    const started = performance.now()
    const seen: { type: string; at: number }[] = []
    const response = await fetch(`${app.url}/mcp/context`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify(request(made)),
    })
    for await (const chunk of response.body ?? []) {
      const text = Buffer.from(chunk).toString()
      for (const [, type] of text.matchAll(/"type":"(github_pull_request\w*)"/g)) {
        if (!seen.some((one) => one.type === type))
          seen.push({ type: type ?? '', at: performance.now() - started })
      }
    }
    held.remove()
    const at = (type: string) => seen.find((one) => one.type === type)?.at ?? Number.NaN
    expect(at('github_pull_request')).toBeLessThan(at('github_pull_request_files') - 500)
    expect(at('github_pull_request_threads')).toBeLessThan(at('github_pull_request_files') - 500)
  })
})
