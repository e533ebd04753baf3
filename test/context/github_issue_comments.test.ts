import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import { commentsOf, follow, textsOf } from '../support/follow.ts'
import {
  addComments,
  addIssue,
  addRepository,
  type GitHub,
  startGitHub,
} from '../support/github/index.ts'

const COUNT = 1_130
const ALL = Array.from({ length: COUNT }, (_, i) => `Text ${i}.`)

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  github.world.anonymousLimits.core = 10_000
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  const issue = addIssue(github.world, 'octo/talk', { title: 'Long talk' })
  addComments(github.world, issue, COUNT, (i) => ({ body: `Text ${i}.`, user: 'ann' }))
  addIssue(github.world, 'octo/talk', { title: 'Silence' })
  addComments(github.world, addIssue(github.world, 'octo/talk', { pull_request: true }), 2)
  app = await startApp({ github, env: { RATE_LIMIT_MAX: '1000000', GITHUB_BUDGET: 'off' } })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const request = (params: object = {}) => ({
  context_type: 'github_issue_comments',
  params: { owner: 'octo', repo: 'talk', issue_number: 1, ...params },
})

describe('github_issue_comments', () => {
  it('shows a window, and where in the whole it is', async () => {
    const { context, omitted } = await app.context(request({ offset: 10, limit: 2 }))
    expect(context).toEqual([
      {
        type: 'github_issue_comments',
        id: 'github_issue_comments:octo/talk#1@10+2',
        title: 'Long talk',
        trust: 'maintainer',
        url: 'https://github.com/octo/talk/issues/1',
        offset: 10,
        total: COUNT,
        comments: [
          expect.objectContaining({ author: 'ann', body: 'Text 10.', association: 'COLLABORATOR' }),
          expect.objectContaining({ author: 'ann', body: 'Text 11.' }),
        ],
        content: expect.stringMatching(
          /^# Comments 11–12 of 1130 on octo\/talk#1\n> Long talk\n[\s\S]*> Text 10\.[\s\S]*> Text 11\.$/,
        ),
        tokens: expect.any(Number),
      },
    ])
    expect(omitted).toEqual([
      {
        what: 'comments',
        count: COUNT - 12,
        reason: 'limit',
        next: request({ offset: 12, limit: 2 }),
      },
    ])
  })

  it('begins at the first, with 30', async () => {
    expect(textsOf([await app.block(request())])).toEqual(ALL.slice(0, 30))
  })

  it('is exactly the window that was asked for, wherever it lies', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: COUNT + 150 }),
        fc.integer({ min: 1, max: 1_000 }),
        async (offset, limit) => {
          const { context, omitted } = await app.context(request({ offset, limit }))
          expect(textsOf(context)).toEqual(ALL.slice(offset, offset + limit))
          const rest = Math.max(0, COUNT - offset - limit)
          expect(omitted.map(({ count }) => count)).toEqual(rest > 0 ? [rest] : [])
        },
      ),
      {
        numRuns: 40,
        examples: [
          [0, 1_000],
          [1, 1_000],
          [130, 1_000],
          [99, 2],
          [100, 100],
          [1_129, 1],
        ],
      },
    )
  })

  it('goes on to the end by what it names, each exactly once', async () => {
    const { context, omitted } = await app.context(request({ offset: 300, limit: 400 }))
    const found = [...textsOf(context), ...textsOf(await follow(app, omitted))]
    expect(found).toEqual(ALL.slice(300))
  })

  it('is empty past the end, and where there are none', async () => {
    for (const params of [{ offset: 5_000 }, { issue_number: 2 }]) {
      const { context, omitted } = await app.context(request(params))
      expect([context.flatMap(commentsOf), omitted]).toEqual([[], []])
    }
    const past = await app.block(request({ offset: 5_000 }))
    expect(past.content).toMatch(`# No comments of ${COUNT} on octo/talk#1\n`)
    const block = await app.block(request({ issue_number: 2 }))
    expect(block.content).toMatch(/^# No comments of 0 on octo\/talk#2\n> Silence/)
  })

  it('counts no fewer than it shows, also where one came while the count was read', async () => {
    const before = await app.context(request({ offset: 0, limit: 1_000 }))
    expect(before.context[0]).toMatchObject({ total: COUNT })
    const path = '/repos/octo/talk/issues/2'
    const told = await fetch(`${github.url}${path}`, { headers: { 'user-agent': 'test' } })
    const body = { ...((await told.json()) as object), comments: 3, number: 1 }
    const match = '/repos/octo/talk/issues/1'
    const fault = github.fault({ kind: 'status', status: 200, body, match })
    const asked = { ...request({ offset: 0, limit: 5 }), max_age: 0 }
    const { context, omitted } = await app.context(asked)
    fault.remove()
    expect([context[0]?.total, context[0]?.content, omitted]).toEqual([
      5,
      expect.stringMatching(/^# Comments 1–5 of 5 /),
      [],
    ])
  })

  it('takes a pull request too', async () => {
    const block = await app.block(request({ issue_number: 3 }))
    expect([block.total, commentsOf(block).length]).toEqual([2, 2])
    expect(block.url).toBe('https://github.com/octo/talk/pull/3')
  })

  it('asks GitHub for the pages of a window side by side', async () => {
    github.resetCounts()
    github.latencyMs = 500
    await app.block({ ...request({ offset: 150, limit: 700 }), max_age: 0 })
    github.latencyMs = 0
    // Pages 2 to 9, and the issue.
    expect([github.count(), github.rounds()]).toEqual([9, 2])
  })

  it('keeps what a budget has room for, and names the gaps', async () => {
    const asked = { ...request({ offset: 0, limit: 200 }), max_tokens: 400 }
    const { context, omitted, tokens } = await app.context(asked)
    expect(tokens).toBeLessThanOrEqual(400)
    const kept = textsOf(context)
    expect(kept.length).toBeGreaterThan(3)
    const gaps = omitted.filter(({ reason }) => reason === 'max_tokens')
    const found = [...kept, ...textsOf(await follow(app, gaps, { gaps: true }))]
    expect(found.sort()).toEqual(ALL.slice(0, 200).sort())
    expect(omitted.filter(({ reason }) => reason === 'limit')).toMatchObject([
      { count: COUNT - 200, next: request({ offset: 200, limit: 200 }) },
    ])
  })
})
