import { afterEach, beforeEach, expect, it } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import { follow, textsOf } from '../support/follow.ts'
import {
  addAccount,
  addDiscussion,
  addDiscussionComments,
  addReplies,
  addRepository,
  type Discussion,
  type GitHub,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
let discussion: Discussion
beforeEach(async () => {
  github = await startGitHub()
  addAccount(github.world, { login: 'octo', token: 'secret' })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  discussion = addDiscussion(github.world, 'octo/talk', { title: 'Plans' })
  app = await startApp({ github, env: { GITHUB_TOKEN: 'secret' } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const request = (params: object = {}) => ({
  context_type: 'github_discussion_comments',
  params: { owner: 'octo', repo: 'talk', discussion_number: 1, ...params },
})

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `Text ${i}`)

function fill(count: number, filler = '') {
  return addDiscussionComments(github.world, discussion, count, (i) => ({
    body: `Text ${i}${filler}`,
  }))
}

it('gives a window of comments, and the way on', async () => {
  fill(5)
  const { context, omitted } = await app.context(request({ limit: 2 }))
  expect(github.requests.map(({ path }) => path)).toEqual(['/graphql'])
  const [block] = context
  expect(block).toMatchObject({
    title: 'Plans',
    url: 'https://github.com/octo/talk/discussions/1',
    total: 5,
    reply_to: null,
  })
  expect(block?.content).toMatch(/^# 2 of 5 comments on octo\/talk#1\n> Plans\n/)
  expect(omitted).toMatchObject([
    { what: 'comments', reason: 'limit', next: { params: { limit: 2 } } },
  ])
  const rest = await follow(app, omitted)
  expect(rest).toHaveLength(2)
  expect(textsOf([...context, ...rest])).toEqual(numbered(5))
  expect(new Set([...context, ...rest].map(({ id }) => id)).size).toBe(3)
})

it('gives the replies to one comment, and the way on', async () => {
  const [first] = fill(2)
  if (!first) throw new Error('no comment')
  addReplies(github.world, first, 7, (i) => ({ body: `Text ${i}`, user: null }))
  renameRepository(github.world, 'octo/talk', 'Speech')
  const { omitted } = await app.context(request({ max_replies: 3 }))
  expect(omitted).toMatchObject([{ what: 'replies', count: 4, reason: 'max_replies' }])
  const reply_to = String(omitted[0]?.next?.params.reply_to)
  const { context, omitted: more } = await app.context(request({ reply_to, limit: 3 }))
  const [block] = context
  if (!block) throw new Error('no block')
  expect(block.content).toMatch(/^# 3 of 7 replies to Codertocat on octo\/Speech#1\n/)
  const [reply] = block.comments as { reply_to: string }[]
  expect(block).toMatchObject({ total: 7, reply_to: reply?.reply_to })
  expect(reply).toMatchObject({ author: 'ghost', body: 'Text 0' })
  expect(more[0]?.next?.params).toMatchObject({ repo: 'Speech', reply_to })
  expect(textsOf([...context, ...(await follow(app, more))])).toEqual(numbered(7))
})

it('names what the budget left out of replies', async () => {
  const [first] = fill(1)
  if (!first) throw new Error('no comment')
  const filler = ' with words that make it longer'.repeat(5)
  addReplies(github.world, first, 30, (i) => ({ body: `Text ${i}${filler}` }))
  const reply_to = String(first.body.node_id)
  const asked = { ...request({ reply_to }), max_tokens: 500, query: 'text 3 17 18' }
  const { context, omitted } = await app.context(asked)
  const kept = textsOf(context).filter((body) => !body.includes('tokens omitted]'))
  expect(kept.length).toBeGreaterThan(2)
  expect(kept.length).toBeLessThan(20)
  const rest = textsOf(await follow(app, omitted, { gaps: true }))
  const all = numbered(30).map((text) => text + filler)
  expect([...kept, ...rest].toSorted()).toEqual(all.toSorted())
})

it('knows no comments of elsewhere by their id', async () => {
  fill(1)
  const other = addDiscussion(github.world, 'octo/talk')
  const foreign = addDiscussion(
    github.world,
    addRepository(github.world, { owner: 'octo', name: 'other' }),
    { number: 1 },
  )
  for (const elsewhere of [other, foreign]) {
    const [comment] = addDiscussionComments(github.world, elsewhere, 1)
    const answer = await app.post(request({ reply_to: String(comment?.body.node_id) }))
    expect(answer.json<Problem>()).toMatchObject({
      code: 'not_found',
      detail: expect.stringContaining('reply_to'),
    })
  }
  const wrong = await app.post(request({ reply_to: 'nonsense' }))
  expect(wrong.json<Problem>()).toMatchObject({ code: 'not_found', status: 404 })
})

it('has nothing to say of a discussion without comments', async () => {
  const { context, omitted } = await app.context(request())
  expect([textsOf(context), omitted]).toEqual([[], []])
})

it('says so where a place in the list is none', async () => {
  fill(1)
  const answer = await app.post(request({ after: 'bm9wZQ==' }))
  expect(answer.json<Problem>()).toMatchObject({
    code: 'invalid_request',
    errors: [{ pointer: '/params/after' }],
  })
})
