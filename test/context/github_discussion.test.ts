import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Block, type Problem, startApp } from '../support/app.ts'
import { commentsOf, follow, textsOf } from '../support/follow.ts'
import {
  addAccount,
  addDiscussion,
  addDiscussionComments,
  addReplies,
  addRepository,
  chooseAnswer,
  type DiscussionOptions,
  deleteDiscussion,
  type GitHub,
  renameRepository,
  startGitHub,
  updateDiscussion,
} from '../support/github/index.ts'
import { deliver } from '../support/webhooks.ts'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  addAccount(github.world, { login: 'octo', token: 'secret' })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  app = await startApp({ github, env: { GITHUB_TOKEN: 'secret', GITHUB_WEBHOOK_SECRET: 'hook' } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const request = (params: object = {}) => ({
  context_type: 'github_discussion',
  params: { owner: 'octo', repo: 'talk', discussion_number: 1, ...params },
})
const problem = async (asked: object, asker = app) => (await asker.post(asked)).json<Problem>()

/** A discussion with so many comments, of which comment i has `replies(i)` replies. */
function discussionWith(
  options: DiscussionOptions,
  count = 0,
  replies: (i: number) => number = () => 0,
  filler = '',
) {
  const discussion = addDiscussion(github.world, 'octo/talk', options)
  const comments = addDiscussionComments(github.world, discussion, count, (i) => ({
    body: `Comment ${i}.${filler}`,
  }))
  comments.forEach((comment, i) => {
    addReplies(github.world, comment, replies(i), (j) => ({ body: `Reply ${i}/${j}.${filler}` }))
  })
  return { discussion, comments }
}

/** All texts of such a discussion, in reading order. */
const allTexts = (count: number, replies: (i: number) => number) =>
  Array.from({ length: count }, (_, i) => [
    `Comment ${i}.`,
    ...Array.from({ length: replies(i) }, (_, j) => `Reply ${i}/${j}.`),
  ]).flat()

describe('github_discussion', () => {
  it('tells all that GitHub has of a discussion, in one call', async () => {
    const { comments } = discussionWith(
      { title: 'How do I?', body: 'Please.', category: 'Q&A', labels: ['help'], user: 'ann' },
      2,
    )
    const [, second] = comments
    if (!second) throw new Error('no comment')
    addReplies(github.world, second, 1, () => ({ body: 'Thanks!', user: 'ann' }))
    chooseAnswer(github.world, second, 'ann')
    github.resetCounts()
    const block = await app.block(request())
    expect(github.requests.map(({ path }) => path)).toEqual(['/graphql'])
    expect(block).toMatchObject({
      type: 'github_discussion',
      id: 'github_discussion:octo/talk#1',
      title: 'How do I?',
      url: 'https://github.com/octo/talk/discussions/1',
      trust: 'maintainer',
      number: 1,
      state: 'open',
      state_reason: null,
      author: 'ann',
      author_association: 'COLLABORATOR',
      category: 'q-a',
      labels: ['help'],
      answered: true,
      answer_chosen_by: 'ann',
      upvotes: 1,
      comments_count: 2,
      body: 'Please.',
      answer: { body: 'Comment 1.', is_answer: true },
    })
    expect(commentsOf(block)).toMatchObject([
      { body: 'Comment 0.', is_answer: false, reply_to: null, hidden: null },
      {
        body: 'Comment 1.',
        is_answer: true,
        url: expect.stringMatching(/talk\/discussions\/1#discussioncomment-\d+$/),
      },
      { body: 'Thanks!', author: 'ann', reply_to: commentsOf(block)[1]?.url },
    ])
    expect(block.content).toMatch(
      /^# Discussion octo\/talk#1\n> How do I\?\nhttps:.*\nState: open · Category: Q&A · Answered: yes · .*\n\n> Please\.\n\n### Codertocat \(collaborator\), [\d:TZ-]+\n> Comment 0\.\n\n### Codertocat \(collaborator\), [\d:TZ-]+, the answer\n> Comment 1\.\n\n#### Reply of ann \(collaborator\) to Codertocat, [\d:TZ-]+\n> Thanks!$/,
    )
  })

  it('shows an answer that is not among the comments asked for', async () => {
    const { comments } = discussionWith({ category: 'Q&A' }, 5, () => 3)
    const reply = comments[4]?.replies[2]
    if (!reply) throw new Error('no reply')
    chooseAnswer(github.world, reply)
    const block = await app.block(request({ max_comments: 2, max_replies: 1 }))
    expect(block.answer).toMatchObject({ body: 'Reply 4/2.', is_answer: true })
    expect(commentsOf(block).map(({ body }) => body)).toEqual(allTexts(2, () => 1))
    expect(block.content).toMatch(/\n\n## Answer\n#### Reply of .*, the answer\n> Reply 4\/2\.\n\n/)
  })

  it('shows nothing where there is nothing', async () => {
    discussionWith({ user: null, body: '' })
    const [comment] = addDiscussionComments(
      github.world,
      discussionWith({ number: 2 }).discussion,
      3,
      (i) =>
        [
          { body: '', user: null, deleted_at: '2026-01-01T00:00:00Z' },
          { body: '', user: null },
          { body: 'Buy!', minimized_reason: 'SPAM', author_association: 'NONE', upvotes: 3 },
        ][i] ?? {},
    )
    if (!comment) throw new Error('no comment')
    addReplies(github.world, comment, 1, () => ({ user: null }))
    const empty = await app.block(request())
    expect(empty).toMatchObject({ author: 'ghost', body: '', answer: null, comments: [] })
    expect(empty.content).toContain('> (no text)')
    const block = await app.block(request({ discussion_number: 2 }))
    expect(commentsOf(block)).toMatchObject([
      { author: 'ghost', body: '' },
      { author: 'ghost', reply_to: expect.any(String) },
      { author: 'ghost', body: '' },
      { body: 'Buy!', hidden: 'spam', upvotes: 3 },
    ])
    expect(block.content).toContain('> (deleted)')
    expect(block.content).toContain('to ghost')
    expect(block.content).toContain(', 3 upvotes, hidden as spam\n> Buy!')
    expect(block.trust).toBe('stranger')
    for (const { content } of [empty, block]) expect(content).not.toMatch(/null|undefined/)
  })

  it('goes by the new name after a rename, and says when it is no more', async () => {
    const { discussion } = discussionWith({ state: 'closed', state_reason: 'OUTDATED' }, 3)
    renameRepository(github.world, 'octo/talk', 'Speech')
    const { context, omitted } = await app.context(request({ max_comments: 1 }))
    expect(context[0]).toMatchObject({
      id: 'github_discussion:octo/Speech#1',
      url: 'https://github.com/octo/Speech/discussions/1',
      state: 'closed',
      state_reason: 'outdated',
    })
    expect(omitted[0]?.next?.params).toMatchObject({ owner: 'octo', repo: 'Speech' })
    deleteDiscussion(github.world, discussion)
    expect(await problem({ ...request(), max_age: 0 })).toMatchObject({
      code: 'not_found',
      status: 404,
    })
    expect(await problem(request({ repo: 'nope' }))).toMatchObject({ code: 'not_found' })
  })

  it('says whose permission is missing, and that it needs a credential', async () => {
    addAccount(github.world, { login: 'fine', token: 'fine', permissions: { issues: 'read' } })
    const hidden = { owner: 'octo', name: 'hidden', private: true, readers: ['fine'] }
    addDiscussion(github.world, addRepository(github.world, hidden))
    await using forbidden = await startApp({ github, env: { GITHUB_TOKEN: 'fine' } })
    expect(await problem(request({ repo: 'hidden' }), forbidden)).toMatchObject({
      code: 'upstream_forbidden',
      status: 403,
      detail: expect.stringContaining('permissions'),
    })
    discussionWith({})
    await using anonymous = await startApp({ github })
    expect(await problem(request(), anonymous)).toMatchObject({
      code: 'upstream_forbidden',
      detail: expect.stringContaining('GITHUB_TOKEN'),
    })
  })

  it('is found by its address, and fetched anew when a webhook tells of it', async () => {
    const { discussion } = discussionWith({ title: 'Hello' })
    const find = async () => {
      const answer = await app.get('/mcp/context?url=https://github.com/octo/talk/discussions/1')
      return answer.json<{ context: Block[] }>().context[0]?.title
    }
    expect(await find()).toBe('Hello')
    updateDiscussion(github.world, discussion, { title: 'Goodbye' })
    expect(await find()).toBe('Hello')
    const payload = {
      action: 'edited',
      discussion: { number: 1 },
      repository: { name: 'talk', full_name: 'octo/talk', owner: { login: 'octo' } },
    }
    expect((await deliver(app, 'discussion', payload, 'hook')).status).toBeLessThan(300)
    await expect.poll(find, { timeout: 5_000 }).toBe('Goodbye')
  })
})

describe('what is left out', () => {
  const replies = (i: number) => [0, 3, 25, 1][i % 4] ?? 0

  it.each([
    [0, 20],
    [1, 0],
    [7, 2],
    [100, 20],
    [100, 100],
  ])(
    'past %i comments and %i replies comes exactly once by what is named',
    async (max_comments, max_replies) => {
      discussionWith({}, 130, replies)
      const asked = request({ max_comments, max_replies })
      const { context, omitted } = await app.context(asked)
      expect(context).toHaveLength(1)
      const rest = await follow(app, omitted)
      const found = textsOf([...context, ...rest])
      expect(found.toSorted()).toEqual(allTexts(130, replies).toSorted())
    },
  )

  it('is counted', async () => {
    discussionWith({}, 130, replies)
    const { omitted } = await app.context(request({ max_comments: 4 }))
    expect(omitted).toMatchObject([
      { what: 'replies', count: 5, reason: 'max_replies' },
      { what: 'comments', count: 126, reason: 'max_comments' },
    ])
  })

  it.each([200, 500, 1_500, 4_000])(
    'for %i tokens comes exactly once by what is named',
    async (max_tokens) => {
      const filler = ' Some more words to make it longer.'.repeat(3)
      discussionWith({ body: 'Body.' }, 30, (i) => i % 3, filler)
      for (const query of [undefined, 'reply 13 words']) {
        const asked = { ...request(), max_tokens, ...(query ? { query } : {}) }
        const { context, omitted, tokens } = await app.context(asked)
        expect(tokens).toBeLessThanOrEqual(max_tokens)
        const kept = textsOf(context).filter((body) => !body.includes('tokens omitted]'))
        for (const body of kept) expect(context[0]?.content).toContain(body)
        const comments = omitted.filter(({ what }) => what !== 'body')
        const rest = textsOf(await follow(app, comments, { gaps: true }))
        const all = allTexts(30, (i) => i % 3).map((text) => text + filler)
        expect([...kept, ...rest].toSorted()).toEqual(all.toSorted())
        const counted = comments.reduce((sum, { count = 0 }) => sum + count, 0)
        expect(counted).toBe(all.length - kept.length)
      }
    },
  )

  it('of the text comes whole by what is named', async () => {
    const body = 'A long sentence stands here. '.repeat(200).trim()
    discussionWith({ body })
    const { omitted } = await app.context({ ...request(), max_tokens: 200 })
    expect(omitted).toMatchObject([{ what: 'body', reason: 'max_tokens' }])
    const [rest] = await follow(app, omitted)
    expect(rest?.body).toBe(body)
  })

  it('is not the answer, nor what the caller asks for', async () => {
    const filler = ' Some more words to make it longer.'.repeat(8)
    const { comments } = discussionWith({ category: 'Q&A' }, 40, () => 1, filler)
    const [first] = comments
    if (!first) throw new Error('no comment')
    chooseAnswer(github.world, first)
    addReplies(github.world, comments[20] ?? first, 1, () => ({ body: 'The quokka escapes.' }))
    const asked = { ...request({ max_comments: 100 }), max_tokens: 600 }
    const [block] = (await app.context(asked)).context
    expect(block?.answer).toMatchObject({ body: `Comment 0.${filler}` })
    expect(block?.content).not.toContain('quokka')
    const [found] = (await app.context({ ...asked, query: 'quokka' })).context
    expect(found?.content).toContain('> The quokka escapes.')
  })

  it('for want of trust is named as well', async () => {
    const { discussion } = discussionWith({ author_association: 'OWNER' })
    addDiscussionComments(github.world, discussion, 6, (i) => ({
      body: `Comment ${i}.`,
      author_association: i % 2 ? 'NONE' : 'MEMBER',
    }))
    const asked = { ...request(), min_trust: 'maintainer' } as const
    const { context, omitted } = await app.context(asked)
    expect(textsOf(context)).toEqual(['Comment 0.', 'Comment 2.', 'Comment 4.'])
    expect(omitted.map(({ reason }) => reason)).toEqual(['min_trust', 'min_trust', 'min_trust'])
    const rest = textsOf(await follow(app, omitted, { gaps: true }))
    expect(rest).toEqual(['Comment 1.', 'Comment 3.', 'Comment 5.'])
  })
})
