import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Block, type Context, startApp } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  addRepository(github.world, { owner: 'other', name: 'place' })
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const ask = (q: string, params: object = {}) => ({
  context_type: 'github_issue_search',
  params: { q, ...params },
})
const issuesOf = (block: Block | undefined) =>
  (block?.issues ?? []) as { name: string; number: number; title: string }[]
const namesOf = ({ context }: Context) => issuesOf(context[0]).map(({ name }) => name)

describe('github_issue_search', () => {
  it('finds issues and pull requests anywhere', async () => {
    addIssue(github.world, 'octo/talk', { title: 'Zebra crossing', body: 'Stripes.' })
    addIssue(github.world, 'other/place', { title: 'A zebra', pull_request: true })
    addIssue(github.world, 'octo/talk', { title: 'A horse' })
    const answer = await app.context(ask('zebra'))
    expect(namesOf(answer)).toEqual(['other/place#1', 'octo/talk#1'])
    const [block] = answer.context
    expect(block).toMatchObject({ q: 'zebra', total: 2, incomplete: false })
    expect(block?.content).toMatch(/## octo\/talk#1\nState: open .*\n> Zebra crossing\n> Stripes\./)
    expect(answer.omitted).toEqual([])
  })

  it('never shows what the operator does not allow', async () => {
    addIssue(github.world, 'octo/talk', { title: 'Zebra one' })
    addIssue(github.world, 'other/place', { title: 'Zebra two', body: 'Inside.' })
    await using limited = await startApp({
      github,
      env: { GITHUB_TOKEN: OCTOCAT_TOKEN, ALLOWED_REPOS: 'octo/*' },
    })
    const answer = await limited.post(ask('zebra'))
    expect(answer.text).not.toMatch(/two|Inside|other\/place/)
    expect(namesOf(answer.json())).toEqual(['octo/talk#1'])
    // Not even their number: it would answer questions about them.
    expect(answer.json<Context>()).toMatchObject({ context: [{ total: null }], omitted: [] })
    expect((await limited.post(ask('zebra repo:other/place'))).status).toBe(403)
  })

  it('is complete once every omission is followed, each once', async () => {
    for (let i = 0; i < 45; i++)
      addIssue(github.world, 'octo/talk', { title: `Zebra ${i}`, body: 'x '.repeat(90) })
    const answer = await app.context({ ...ask('zebra', { limit: 10 }), max_tokens: 600 })
    const [gaps, rest] = [
      answer.omitted.filter(({ reason }) => reason === 'max_tokens'),
      answer.omitted.filter(({ reason }) => reason === 'limit'),
    ]
    const blocks = [
      ...answer.context,
      ...(await follow(app, gaps, { gaps: true })),
      ...(await follow(app, rest)),
    ]
    const numbers = blocks.flatMap(issuesOf).map(({ number }) => number)
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 45 }, (_, i) => i + 1))
  })

  it('stops at what GitHub shows of a search, and says so', async () => {
    for (let i = 0; i < 1_003; i++) addIssue(github.world, 'octo/talk', { title: `Zebra ${i}` })
    const { context, omitted } = await app.context(ask('zebra', { offset: 980, limit: 100 }))
    expect(issuesOf(context[0])).toHaveLength(20)
    expect(omitted).toEqual([{ what: 'issues', count: 3, reason: 'search_cap' }])
  })

  it('finds nothing without failing', async () => {
    const { context } = await app.context(ask('unicorn'))
    expect(context[0]).toMatchObject({ total: 0, issues: [] })
  })

  it('works by GET', async () => {
    addIssue(github.world, 'octo/talk', { title: 'Zebra' })
    const answer = await app.get(
      '/mcp/context/github_issue_search?q=zebra%20repo:octo/talk&sort=updated',
    )
    expect(namesOf(answer.json())).toEqual(['octo/talk#1'])
  })
})
