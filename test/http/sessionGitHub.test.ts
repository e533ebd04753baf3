import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import {
  addComments,
  addIssue,
  addRepository,
  deleteIssue,
  deleteRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
  transferIssue,
  updateIssue,
} from '../support/github/index.ts'
import { type Conversation, startConversation } from '../support/sessions.ts'
import { deliver } from '../support/webhooks.ts'

const SECRET = 'a webhook secret'

let github: GitHub
let app: App
let session: Conversation
let login: ReturnType<typeof addIssue>
let folder: Awaited<ReturnType<typeof mkdtempDisposable>>
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-01-31T12:00:00Z') })
  folder = await mkdtempDisposable(join(tmpdir(), 'data-'))
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  addRepository(github.world, { owner: 'octo', name: 'other' })
  login = addIssue(github.world, 'octo/talk', {
    title: 'Login fails',
    body: 'First line.\nIt fails.\nLast line.',
  })
  addIssue(github.world, 'octo/talk', { title: 'Logout fails', body: 'It fails too.' })
  app = await startApp({
    github,
    env: { GITHUB_TOKEN: OCTOCAT_TOKEN, DATA_DIR: folder.path, GITHUB_WEBHOOK_SECRET: SECRET },
  })
  session = await startConversation(app)
})
afterEach(async () => {
  vi.useRealTimers()
  await app.close()
  await github.close()
  await folder.remove()
})

const ISSUES = '?repo_owner=octo&repo_name=talk&fetch_issues=true&fetch_prs=false'
const repo = { context_type: 'github_repo', params: { owner: 'octo', repo: 'talk' } }
const issue = (number: number | string, more: object = {}) => ({
  context_type: 'github_issue',
  params: { owner: 'octo', repo: 'talk', issue_number: number, ...more },
})
const later = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)
const items = async () => (await session.status()).context.items
const titles = async () => (await items()).map(({ title }) => title)
const updatesOf = async (input = 'And now?') =>
  (await session.invoke(input)).context_updates.map(({ change, content, id }) => ({
    change,
    id,
    content,
  }))

describe('github_context', () => {
  it('takes issues of a repository, one item each, for one call', async () => {
    github.resetCounts()
    const answer = await session.fetch(ISSUES)
    expect([answer.headers['x-github-requests'], github.count()]).toEqual(['1', 1])
    expect(await items()).toMatchObject([
      { type: 'github_issue', issue_id: 2, title: 'Logout fails', as_of: expect.any(String) },
      {
        issue_id: 1,
        body: 'First line.\nIt fails.\nLast line.',
        state: 'open',
        labels: [],
        url: 'https://github.com/octo/talk/issues/1',
        content: expect.stringContaining('> Login fails\n> First line.\n> It fails.'),
        metadata: { id: 'github_issue:octo/talk#1', repository: 'octo/talk' },
      },
    ])
    await session.fetch(ISSUES)
    expect(github.count()).toBe(1)
  })

  it('takes context requests, side by side, through the same cache', async () => {
    await app.context(issue(1))
    github.resetCounts()
    await session.fetch([issue('1'), repo, issue(1)])
    expect(github.count()).toBe(1)
    const [first, second, ...more] = await items()
    expect(more).toEqual([])
    expect(first).toMatchObject({
      type: 'github_issue',
      issue_id: 1,
      metadata: { id: 'github_issue:octo/talk#1', context_type: 'github_issue' },
    })
    expect(first?.content).toBe((await app.block(issue(1))).content)
    expect(second).toMatchObject({ type: 'github_repository', title: 'octo/talk' })
  })

  it('puts a newer version of an issue in the place of the older one', async () => {
    await session.fetch([issue(1), issue(2), repo])
    addComments(github.world, login, 2, (i) => ({ body: `Comment ${i}` }))
    await session.fetch([{ ...issue(1, { max_comments: 1 }), max_age: 0 }])
    expect(await titles()).toEqual(['Login fails', 'Logout fails', 'octo/talk'])
    expect((await items())[0]?.content).toContain('Comment 0')
    expect((await items())[0]?.content).not.toContain('Comment 1')
    await session.fetch(ISSUES)
    expect(await titles()).toEqual(['Login fails', 'Logout fails', 'octo/talk'])
  })

  it('tells two windows of a list apart, and not two sizes of one', async () => {
    const list = (more: object) => ({
      context_type: 'github_issues',
      params: { owner: 'octo', repo: 'talk', ...more },
    })
    await session.fetch([list({}), list({ limit: 5 }), list({ state: 'closed' })])
    await session.fetch([list({ offset: 1 }), list({ state: 'open' })])
    expect(await titles()).toEqual(Array(3).fill('Issues of octo/talk'))
  })

  it('is all or nothing, and says what failed', async () => {
    const answer = await session.tryFetch({ requests: [repo, issue(99), repo] })
    expect(answer.status).toBe(404)
    const { code, detail, errors } = answer.json<Problem>()
    expect([code, detail]).toEqual(['not_found', expect.stringMatching(/^\/requests\/1: /)])
    expect(errors).toMatchObject([{ pointer: '/requests/1' }])
    expect(await items()).toEqual([])
  })

  it.each([
    [undefined, '', /names nothing to fetch/],
    [undefined, '?repo_owner=octo', /\/repo_name: is required/],
    [undefined, '?repo_owner=octo&repo_name=a/b', /repo/],
    [undefined, `${ISSUES}&fetch_issue=true`, /fetch_issue: is not known/],
    [undefined, '?repo_owner=octo&repo_name=talk&fetch_issues=maybe', /true or false/],
    [undefined, ISSUES.replace('=true', '=False'), /names nothing to fetch/],
    [{ requests: [] }, '', /\/requests/],
    [{ request: [repo] }, '', /did you mean "requests"/],
    [{ requests: [{ ...repo, context_type: 'github_rep' }] }, '', /\/requests\/0: .*github_repo/],
    [{ requests: [issue('x')] }, '', /\/requests\/0: \/params\/issue_number/],
  ])('refuses %j with %j', async (body, query, message) => {
    const answer = await session.tryFetch(body, query)
    expect([answer.status, answer.json<Problem>().detail]).toEqual([
      400,
      expect.stringMatching(message),
    ])
    expect(await items()).toEqual([])
  })

  it('asks GitHub nothing for a session that is not there', async () => {
    await session.remove()
    github.resetCounts()
    expect((await session.tryFetch({ requests: [repo] })).status).toBe(404)
    expect(github.count()).toBe(0)
  })

  it('keeps to the allowlist', async () => {
    await using strict = await startApp({
      github,
      env: { ALLOWED_REPOS: 'octo/other', DATA_DIR: folder.path },
    })
    const own = await startConversation(strict)
    expect((await own.tryFetch(undefined, ISSUES)).status).toBe(403)
    expect((await own.tryFetch({ requests: [repo] })).status).toBe(403)
  })
})

describe('context_updates', () => {
  it('are empty while nothing has changed, which costs nothing of the limit', async () => {
    await session.fetch(ISSUES)
    await session.fetch([repo, issue(1)])
    expect(await updatesOf()).toEqual([])
    later(1_000)
    github.resetCounts()
    expect(await updatesOf()).toEqual([])
    expect(github.count()).toBeGreaterThan(0)
    expect(github.count({ status: 200 })).toBe(0)
    github.resetCounts()
    expect(await updatesOf()).toEqual([])
    expect(github.count()).toBe(0)
  })

  it('hold only the difference, once', async () => {
    await session.fetch(ISSUES)
    await session.invoke('Hi')
    updateIssue(github.world, login, { body: 'First line.\nIt works.\nLast line.' })
    later(100)
    expect(await updatesOf()).toEqual([
      {
        change: 'changed',
        id: 'github_issue:octo/talk#1',
        content: '- > It fails.\n+ > It works.',
      },
    ])
    expect((await items())[1]?.body).toContain('It works.')
    later(100)
    expect(await updatesOf()).toEqual([])
  })

  it('tell at once of what a webhook names, and look at nothing else', async () => {
    await session.fetch([issue(1), issue(2), repo])
    await session.invoke('Hi')
    updateIssue(github.world, login, { title: 'Login works' })
    expect(await updatesOf()).toEqual([])
    const edited = {
      action: 'edited',
      repository: { full_name: 'octo/talk' },
      issue: { number: 1 },
    }
    later(1)
    expect((await deliver(app, 'issues', edited, SECRET)).status).toBe(202)
    later(1)
    github.resetCounts()
    expect(await updatesOf()).toMatchObject([
      { change: 'changed', content: '- > Login fails\n+ > Login works' },
    ])
    expect(
      github.requests.map(({ path }) => path).filter((path) => !/issues\/1/.test(path)),
    ).toEqual([])
    expect(github.count()).toBeGreaterThan(0)
    github.resetCounts()
    expect(await updatesOf()).toEqual([])
    expect(github.count()).toBe(0)
  })

  it('tell of a window that has grown as of one thing', async () => {
    addComments(github.world, login, 2, (i) => ({ body: `Comment ${i}` }))
    const params = { owner: 'octo', repo: 'talk', issue_number: 1 }
    await session.fetch([{ context_type: 'github_issue_comments', params }])
    await session.invoke('Hi')
    addComments(github.world, login, 1, () => ({ body: 'One more' }))
    later(100)
    const [update, ...more] = await updatesOf()
    expect(update).toMatchObject({
      change: 'changed',
      content: expect.stringContaining('One more'),
    })
    expect(update?.content).not.toContain('Comment 0')
    expect(more).toEqual([])
    expect(await items()).toHaveLength(1)
  })

  it('compare with what the last turn knew, however often it changed since', async () => {
    await session.fetch([issue(1)])
    await session.invoke('Hi')
    updateIssue(github.world, login, { title: 'Login sometimes fails' })
    await session.fetch([{ ...issue(1), max_age: 0 }])
    updateIssue(github.world, login, { title: 'Login works' })
    later(100)
    expect(await updatesOf()).toMatchObject([{ content: '- > Login fails\n+ > Login works' }])
    expect(await updatesOf()).toEqual([])
  })

  it('tell what was fetched anew between two turns', async () => {
    await session.fetch([issue(1)])
    await session.invoke('Hi')
    updateIssue(github.world, login, { title: 'Login works' })
    await session.fetch([{ ...issue(1), max_age: 0 }, repo])
    expect(await updatesOf()).toMatchObject([
      { change: 'changed', content: '- > Login fails\n+ > Login works' },
      { change: 'added', id: 'github_repository:octo/talk' },
    ])
    expect(await updatesOf()).toEqual([])
  })

  it('tell of issues that are new, closed, transferred and gone', async () => {
    const doomed = addIssue(github.world, 'octo/talk', { title: 'Doomed' })
    const moving = addIssue(github.world, 'octo/talk', { title: 'Moving' })
    await session.fetch(ISSUES)
    await session.invoke('Hi')
    updateIssue(github.world, login, { state: 'closed' })
    deleteIssue(github.world, doomed)
    transferIssue(github.world, moving, 'octo/other')
    addIssue(github.world, 'octo/talk', { title: 'New', body: 'Just in.' })
    later(100)
    const updates = await updatesOf()
    const of = (id: string) => updates.filter((update) => update.id === `github_issue:octo/${id}`)
    expect(of('talk#1')).toMatchObject([
      { change: 'changed', content: expect.stringMatching(/^- State: open.*\n\+ State: closed/) },
    ])
    expect(of('talk#3')).toMatchObject([{ change: 'removed' }])
    expect(of('talk#4')).toMatchObject([{ change: 'removed' }])
    expect(of('other#1')).toMatchObject([{ change: 'added' }])
    expect(of('talk#5')).toMatchObject([
      { change: 'added', content: expect.stringContaining('> Just in.') },
    ])
    expect(updates).toHaveLength(5)
    expect((await titles()).toSorted()).toEqual(['Login fails', 'Logout fails', 'Moving', 'New'])
    later(100)
    expect(await updatesOf()).toEqual([])
    // It has left the list, and is still looked at.
    updateIssue(github.world, login, { state: 'open' })
    later(100)
    expect(await updatesOf()).toMatchObject([{ id: 'github_issue:octo/talk#1', change: 'changed' }])
  })

  it('take away what GitHub refuses, and the model is not shown it', async () => {
    await session.fetch([repo, issue(1)])
    await session.fetch(ISSUES)
    await session.invoke('Hi')
    deleteRepository(github.world, 'octo/talk')
    later(1_000)
    const turn = await session.invoke('And now?')
    expect(turn.context_updates.map(({ change }) => change)).toEqual([
      'removed',
      'removed',
      'removed',
    ])
    expect(turn.usage.items_sent).toBe(0)
    expect(await items()).toEqual([])
  })

  it.each([
    ['fails', { kind: 'status', status: 502 }],
    ['limits', { kind: 'primary-limit', resetInSeconds: 600 }],
    ['resets', { kind: 'reset' }],
  ] as const)('say that GitHub %s, and the turn goes on with what is kept', async (_n, fault) => {
    await session.fetch([issue(1)])
    later(100)
    github.fault({ match: () => true, ...fault })
    const turn = await session.invoke('And now?')
    expect(turn.context_updates).toMatchObject([
      {
        change: 'unavailable',
        id: 'github_issue:octo/talk#1',
        content: expect.stringMatching(
          /^Could not be looked at \(\w+\).* as of 2026-01-31T12:00:00/,
        ),
      },
    ])
    expect(turn.model_response).toContain('as of 2026-01-31T12:00:00')
    expect(turn.model_response).toContain('It fails.')
    github.clearFaults()
    github.resetLimits()
    later(1_000)
    expect(await updatesOf()).toEqual([])
  })

  it('withhold what a refused credential may not see', async () => {
    await session.fetch([issue(1)])
    later(100)
    github.fault({ match: () => true, kind: 'status', status: 401 })
    const turn = await session.invoke('And now?')
    expect(turn.context_updates).toMatchObject([{ change: 'unavailable' }])
    expect(turn.context_updates[0]?.content).toContain('not used in this turn')
    expect(turn.usage.items_sent).toBe(0)
    expect(await items()).toHaveLength(1)
  })
})
