import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import { commentsOf, follow, textsOf } from '../support/follow.ts'
import {
  addClosing,
  addComments,
  addEvent,
  addIssue,
  addMention,
  addRepository,
  addSubIssue,
  type CommentOptions,
  type GitHub,
  type IssueOptions,
  OCTOCAT_TOKEN,
  renameRepository,
  startGitHub,
  transferIssue,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  github.world.anonymousLimits.core = 10_000
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  app = await startApp({ github })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const request = (params: object = {}) => ({
  context_type: 'github_issue',
  params: { owner: 'octo', repo: 'talk', issue_number: 1, ...params },
})

function issueWith(options: IssueOptions, count = 0, comment?: (i: number) => CommentOptions) {
  const issue = addIssue(github.world, 'octo/talk', options)
  if (count > 0) addComments(github.world, issue, count, comment)
  return issue
}

describe('github_issue', () => {
  it('tells all that GitHub documents of an issue', async () => {
    const block = await app.block({
      context_type: 'github_issue',
      params: { owner: 'octocat', repo: 'Hello-World', issue_number: 1347 },
    })
    expect(block).toEqual({
      type: 'github_issue',
      id: 'github_issue:octocat/Hello-World#1347',
      trust: 'maintainer',
      title: 'Found a bug',
      url: 'https://github.com/octocat/Hello-World/issues/1347',
      number: 1347,
      state: 'open',
      state_reason: 'completed',
      author: 'octocat',
      author_association: 'COLLABORATOR',
      body: "I'm having a problem with this.",
      labels: ['bug'],
      assignees: ['octocat'],
      milestone: 'v1.0',
      created_at: '2011-04-22T13:33:48Z',
      updated_at: '2011-04-22T13:33:48Z',
      closed_at: null,
      comments_count: expect.any(Number),
      comments: [
        {
          author: 'octocat',
          association: 'COLLABORATOR',
          body: 'Me too',
          created_at: '2011-04-14T16:00:49Z',
          url: 'https://github.com/octocat/Hello-World/issues/1347#issuecomment-1',
        },
      ],
      comments_summary: ['Comment by octocat: Me too'],
      content: expect.any(String),
      tokens: expect.any(Number),
    })
    expect(block.content).toMatch(/^# Issue octocat\/Hello-World#1347\n> Found a bug\n/)
    expect(block.content).toContain('Labels: bug · Assignees: octocat · Milestone: v1.0')
    expect(block.content).toContain("I'm having a problem with this.")
    expect(block.content).toMatch(/### octocat \(collaborator\), 2011-04-14T16:00:49Z\n> Me too$/)
  })

  it('shows who is gone as ghost, and empty texts as empty', async () => {
    issueWith({ user: null, body: null, labels: [] }, 2, (i) => ({
      user: null,
      body: i ? 'Hi' : '',
    }))
    const block = await app.block(request())
    expect(block).toMatchObject({ author: 'ghost', body: '', labels: [] })
    expect(commentsOf(block).map(({ author, body }) => [author, body])).toEqual([
      ['ghost', ''],
      ['ghost', 'Hi'],
    ])
    expect(block.comments_summary).toEqual(['Comment by ghost: ', 'Comment by ghost: Hi'])
    expect(block.content).toContain('(no description)')
    expect(block.content).toContain('(no text)')
    expect(block.content).not.toMatch(/null|undefined/)
  })

  it('takes a text of nothing but space for an empty one', async () => {
    issueWith({ body: ' \r\n\t ' })
    expect((await app.block(request())).body).toBe('')
  })

  it('tells why it was closed', async () => {
    issueWith({ state: 'closed', state_reason: 'not_planned', closed_at: '2026-01-02T03:04:05Z' })
    const block = await app.block(request())
    expect(block).toMatchObject({
      state: 'closed',
      state_reason: 'not_planned',
      closed_at: '2026-01-02T03:04:05Z',
    })
    expect(block.content).toContain('State: closed (not_planned)')
  })

  it('sums up the first three comments', async () => {
    issueWith({}, 5, (i) => ({ body: `Text ${i}`, user: `user${i}` }))
    expect((await app.block(request())).comments_summary).toEqual([
      'Comment by user0: Text 0',
      'Comment by user1: Text 1',
      'Comment by user2: Text 2',
    ])
  })

  it('keeps the order of the comments, and can do without', async () => {
    issueWith({}, 4, (i) => ({ body: `Text ${i}` }))
    expect(textsOf([await app.block(request())])).toEqual(['Text 0', 'Text 1', 'Text 2', 'Text 3'])
    github.resetCounts()
    const { context, omitted } = await app.context(request({ max_comments: 0 }))
    expect([commentsOf(context[0] as never), omitted[0]?.count]).toEqual([[], 4])
    expect(github.requests.map(({ path }) => path)).toEqual(['/repos/octo/talk/issues/1'])
  })

  it('goes by the new names after a rename, and after a transfer', async () => {
    const issue = issueWith({ title: 'Moved' }, 2, (i) => ({ body: `Text ${i}` }))
    addRepository(github.world, { owner: 'octo', name: 'other' })
    renameRepository(github.world, 'octo/talk', 'Speech')
    const renamed = await app.context(request({ max_comments: 1 }))
    expect(renamed.context[0]?.id).toBe('github_issue:octo/Speech#1')
    expect(renamed.omitted[0]?.next?.params).toMatchObject({ owner: 'octo', repo: 'Speech' })
    const moved = transferIssue(github.world, issue, 'octo/other')
    const block = await app.block({ ...request({ max_comments: 0 }), max_age: 0 })
    expect(block).toMatchObject({
      id: `github_issue:octo/other#${moved.body.number}`,
      title: 'Moved',
    })
  })
})

describe('an issue that was transferred', () => {
  const asked = ['github_issue', 'github_issue_comments'].map((context_type) => ({
    ...request(),
    context_type,
    max_age: 0,
  }))
  const serve = (ALLOWED_REPOS: string) =>
    startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN, ALLOWED_REPOS } })

  it('is followed with all that hangs on it', async () => {
    addRepository(github.world, { owner: 'octo', name: 'other' })
    addIssue(github.world, 'octo/other', { title: 'First here' })
    const issue = issueWith({ title: 'Moved' }, 40, (i) => ({ body: `Comment ${i}` }))
    transferIssue(github.world, issue, 'octo/other')
    await using limited = await serve('octo/talk,octo/other')
    for (const one of asked) {
      const [block] = (await limited.context(one)).context
      expect(block).toMatchObject({ id: expect.stringContaining('octo/other#2'), title: 'Moved' })
      expect(textsOf(block ? [block] : [])).toHaveLength(30)
    }
    github.resetCounts()
    github.latencyMs = 300
    const include = ['timeline', 'linked', 'sub_issues']
    const whole = { ...request({ include }), max_age: 0 }
    expect((await limited.context(whole)).context[0]?.timeline).toEqual([])
    github.latencyMs = 0
    // One for the redirect itself.
    expect(github.rounds()).toBeLessThanOrEqual(3)
  })

  it('is refused as any other where it may not be read now', async () => {
    addRepository(github.world, { owner: 'closed', name: 'place' })
    const issue = issueWith({ title: 'Moved' }, 3, () => ({ body: 'A secret' }))
    addIssue(github.world, 'closed/place', {})
    transferIssue(github.world, issue, 'closed/place')
    await using limited = await serve('octo/*')
    const other = { owner: 'closed', repo: 'place', issue_number: 2 }
    const plain = await limited.post({ context_type: 'github_issue', params: other })
    for (const one of asked) {
      const answer = await limited.post(one)
      expect([answer.status, answer.text]).toEqual([403, expect.not.stringMatching(/secret|Moved/)])
      const { request_id: _, ...problem } = answer.json<Record<string, unknown>>()
      expect(plain.json()).toMatchObject(problem)
    }
    // No comment of it was even asked for.
    expect(github.count({ path: /\/closed\/place\/.*comments/ })).toBe(0)
  })

  it('is not there where it went out of sight', async () => {
    const hidden = addRepository(github.world, { owner: 'closed', name: 'den', private: true })
    transferIssue(github.world, issueWith({ title: 'Moved' }, 3), hidden)
    for (const one of asked) expect((await app.post(one)).status).toBe(404)
  })
})

describe('calls to GitHub', () => {
  it('fetches the issue and its comments side by side', async () => {
    issueWith({}, 3)
    github.latencyMs = 500
    await app.block(request())
    expect([github.count(), github.rounds()]).toEqual([2, 1])
  })

  it('fetches up to 1,000 comments in two rounds', async () => {
    issueWith({}, 1_000, (i) => ({ body: `Text ${i}` }))
    github.latencyMs = 500
    const { context, omitted } = await app.context(request({ max_comments: 1_000 }))
    expect(textsOf(context)).toEqual(Array.from({ length: 1_000 }, (_, i) => `Text ${i}`))
    expect(omitted).toEqual([])
    expect([github.count(), github.rounds()]).toEqual([11, 2])
  })

  it('asks for no page that is not there', async () => {
    issueWith({}, 120)
    await app.block(request({ max_comments: 1_000 }))
    expect(github.count({ path: '/repos/octo/talk/issues/1/comments' })).toBe(2)
  })

  it('finds the pages where GitHub does not number the last', async () => {
    github.world.pagination = 'next-only'
    issueWith({}, 250, (i) => ({ body: `Text ${i}` }))
    const block = await app.block(request({ max_comments: 1_000 }))
    expect(commentsOf(block)).toHaveLength(250)
  })
})

describe('what is left out', () => {
  const all = (count: number) => Array.from({ length: count }, (_, i) => `Text ${i}.`)

  it.each([
    [40, 30],
    [1_250, 1_000],
    [2_300, 0],
    [130, 100],
  ])(
    'of %i comments with max_comments %i comes exactly once by what is named',
    async (count, max) => {
      issueWith({}, count, (i) => ({ body: `Text ${i}.` }))
      const { context, omitted } = await app.context(request({ max_comments: max }))
      expect(omitted).toMatchObject([{ count: count - max, reason: 'max_comments' }])
      expect([...textsOf(context), ...textsOf(await follow(app, omitted))]).toEqual(all(count))
    },
  )

  it('for the budget comes exactly once by what is named', async () => {
    const text = (i: number) => `Text ${i}. ${'More words follow here. '.repeat((i * 7) % 40)}`
    issueWith({ body: 'A body. '.repeat(50) }, 60, (i) => ({ body: text(i) }))
    const asked = { ...request({ max_comments: 100 }), max_tokens: 1_500 }
    const { context, omitted, tokens } = await app.context(asked)
    expect(tokens).toBeLessThanOrEqual(1_500)
    expect(omitted.length).toBeGreaterThan(0)
    const whole = textsOf(context).filter((body) => !body.includes('tokens omitted]'))
    expect(whole.length).toBeGreaterThan(3)
    const rest = await follow(app, omitted, { gaps: true })
    const found = [...whole, ...textsOf(rest)]
    expect(found.sort()).toEqual(Array.from({ length: 60 }, (_, i) => text(i)).sort())
    const counted = omitted.filter(({ what }) => what === 'comments')
    expect(counted.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(60 - whole.length)
  })

  it('of the body comes whole by what is named', async () => {
    const body = 'A long sentence stands here. '.repeat(200).trim()
    issueWith({ body })
    const { context, omitted } = await app.context({ ...request(), max_tokens: 200 })
    expect(context[0]?.body).toMatch(/^A long sentence[\s\S]*\[… \d+ tokens omitted\]$/)
    expect(omitted).toMatchObject([{ what: 'body', reason: 'max_tokens' }])
    const [rest] = await follow(app, omitted)
    expect(rest?.body).toBe(body)
  })

  it('is in no structured field either', async () => {
    issueWith({ body: 'Body words here. '.repeat(100) }, 30, (i) => ({
      body: `Text ${i}. ${'Some more words. '.repeat(20)}`,
    }))
    for (const max_tokens of [100, 300, 1_000, 3_000]) {
      const [block] = (await app.context({ ...request(), max_tokens })).context
      if (!block) throw new Error('no block')
      expect(block.content).toContain(block.body)
      for (const { body } of commentsOf(block)) expect(block.content).toContain(body)
      for (const summary of block.comments_summary as string[])
        expect(block.content).toContain(summary.replace(/^Comment by \w+: /, ''))
      expect(commentsOf(block).length).toBeLessThan(30)
    }
  })

  it('is what matters least to the caller', async () => {
    issueWith({ body: 'About signing in.' }, 30, (i) => ({
      body: `${i === 17 ? 'The quokka refuses its password.' : `Remark number ${i}.`} ${'Filler words to make it longer. '.repeat(8)}`,
    }))
    const asked = { ...request(), max_tokens: 300 }
    const without = textsOf((await app.context(asked)).context).join()
    const kept = textsOf((await app.context({ ...asked, query: 'quokka password' })).context).join()
    expect(without).not.toContain('quokka')
    expect(kept).toContain('quokka')
  })

  it("is the oldest first, and the project's own words last", async () => {
    issueWith({ body: 'B' }, 20, (i) => ({
      body: `Text ${i}. ${'Filler words to make it longer. '.repeat(8)}`,
      author_association: i === 8 ? 'OWNER' : 'NONE',
    }))
    const [block] = (await app.context({ ...request(), max_tokens: 900 })).context
    const kept = commentsOf(block as never).map(({ body }) => Number(/\d+/.exec(body)?.[0]))
    expect(kept).toContain(19)
    expect(kept).toContain(8)
    expect(kept).not.toContain(0)
    expect(kept).toEqual(kept.toSorted((a, b) => a - b))
  })
})

describe('github_issue include', () => {
  const blocks = async (include: string[], more: object = {}) => {
    await using credentialed = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
    return await credentialed.context({ ...request({ include }), ...more })
  }

  it('tells what happened to it, without the comments', async () => {
    const issue = issueWith({ title: 'Login fails' }, 1)
    addEvent(github.world, issue, { event: 'labeled', label: { name: 'bug' }, actor: 'ann' })
    addEvent(github.world, issue, { event: 'renamed', rename: { from: 'A', to: 'B\n# C' } })
    addEvent(github.world, issue, { event: 'closed', state_reason: 'completed', actor: null })
    addEvent(github.world, issue, { event: 'subscribed' })
    const { context } = await blocks(['timeline'])
    expect(context[0]?.timeline).toMatchObject([
      { event: 'labeled', actor: 'ann', detail: 'bug' },
      { event: 'renamed', detail: '"A" → "B # C"' },
      { event: 'closed', actor: 'ghost', detail: 'completed' },
    ])
    expect(context[0]?.content).toMatch(/^> \S+ ann labeled bug$/m)
  })

  it('tells what closes it, what mentions it, its parent and its sub-issues', async () => {
    const issue = issueWith({ title: 'Login fails' })
    const pull = addIssue(github.world, 'octo/talk', { title: 'Fix login', pull_request: true })
    const other = addIssue(github.world, 'octo/talk', { title: 'Also seen here' })
    const parent = addIssue(github.world, 'octo/talk', { title: 'Epic' })
    addClosing(github.world, pull, issue)
    addMention(github.world, other, issue)
    addSubIssue(github.world, parent, issue)
    addSubIssue(github.world, issue, addIssue(github.world, 'octo/talk', { title: 'Step 1' }))
    const { context } = await blocks(['linked', 'sub_issues'])
    expect(context[0]?.linked).toMatchObject([
      { relation: 'closed_by', number: 2, title: 'Fix login', state: 'open' },
      { relation: 'mentioned_by', number: 3, title: 'Also seen here' },
    ])
    expect(context[0]?.sub_issues).toMatchObject([
      { relation: 'parent', title: 'Epic' },
      { relation: 'sub_issue', title: 'Step 1' },
    ])
    expect(context[0]?.content).toContain('> closed by octo/talk#2 (open): Fix login')
  })

  it('tells what the pull request closes that has the number', async () => {
    const issue = issueWith({ title: 'Login fails' })
    const pull = addIssue(github.world, 'octo/talk', { title: 'Fix login', pull_request: true })
    addClosing(github.world, pull, issue)
    addMention(github.world, issueWith({ title: 'See there' }), pull)
    const params = { issue_number: pull.body.number, include: ['linked', 'sub_issues'] }
    await using known = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
    const block = await known.block(request(params))
    expect(block.linked).toMatchObject([
      { relation: 'closes', title: 'Login fails' },
      { relation: 'mentioned_by', title: 'See there' },
    ])
    expect(block.sub_issues).toEqual([])
  })

  it('does not name what lies in repositories that are not allowed', async () => {
    const issue = issueWith({ title: 'Login fails' })
    addRepository(github.world, { owner: 'other', name: 'place' })
    addMention(github.world, addIssue(github.world, 'other/place', { title: 'Secret' }), issue)
    await using limited = await startApp({
      github,
      env: { GITHUB_TOKEN: OCTOCAT_TOKEN, ALLOWED_REPOS: 'octo/*' },
    })
    const answer = await limited.post(request({ include: ['linked', 'timeline'] }))
    expect(answer.status).toBe(200)
    expect(answer.text).not.toMatch(/Secret|other/)
  })

  it('takes two rounds at most, and says how to get what does not fit', async () => {
    github.latencyMs = 500
    const issue = issueWith({ body: 'Words. '.repeat(200) }, 150)
    for (let i = 0; i < 30; i++) {
      addEvent(github.world, issue, { event: 'labeled', label: { name: `label ${i}` } })
    }
    github.resetCounts()
    const { context, omitted } = await blocks(['timeline', 'linked', 'sub_issues'], {
      max_tokens: 300,
    })
    expect(github.rounds()).toBeLessThanOrEqual(2)
    expect(context[0]?.tokens).toBeLessThanOrEqual(300)
    const left = omitted.find(({ what }) => what === 'timeline')
    const { timeline } = context[0] as unknown as { timeline: unknown[] }
    expect(timeline.length + (left?.count ?? 0)).toBe(30)
    expect(left?.next?.params).toMatchObject({ include: ['timeline'], limit: left?.count })
  })

  it('needs a credential for what only GraphQL tells, and says so', async () => {
    issueWith({})
    const answer = await app.post(request({ include: ['linked'] }))
    expect(answer.status).toBe(403)
    expect(answer.text).toContain('GITHUB_TOKEN')
  })

  it('refuses a part that there is not', async () => {
    expect((await app.post(request({ include: ['reactions'] }))).status).toBe(400)
  })
})
