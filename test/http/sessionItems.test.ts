import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countTokens } from '../../src/core/tokens.ts'
import { type App, type Problem, startApp } from '../support/app.ts'
import { type GitHub, startGitHub } from '../support/github/index.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { type Conversation, startConversation } from '../support/sessions.ts'

let github: GitHub
let redis: RedisServer
let app: App
beforeAll(async () => {
  github = await startGitHub()
  redis = await startRedis()
  app = await startApp({ github, env: { REDIS_URL: redis.url } })
})
afterAll(async () => {
  await app.close()
  await redis.close()
  await github.close()
})

const contents = async (session: Conversation) =>
  (await session.status()).context.items.map(({ content }) => content)

describe('items', () => {
  it('are given back as they were sent, each with its tokens', async () => {
    const session = await startConversation(app)
    const sent = [
      { type: 'code', content: 'let a = 1\nlet b = 2', metadata: { path: 'a.js', lines: [1, 2] } },
      { type: 'chat_message', content: { role: 'user', text: 'Hi 🙂' }, metadata: {} },
      { type: 'document', content: ['a', 1, null, true], metadata: { deep: { er: [{}] } } },
      { type: 'my own kind!', content: '', metadata: {} },
      {
        type: 'github_pull_request',
        content: 'A change',
        metadata: {},
        pr_id: 7,
        title: 'Change',
        body: null,
        state: 'open',
        url: 'https://github.com/octo/talk/pull/7',
        files_changed: ['a.js'],
      },
    ]
    await session.add(...sent)
    const { items, tokens } = (await session.status()).context
    expect(items.map(({ tokens: _, ...item }) => item)).toEqual(sent)
    expect(items[0]?.tokens).toBe(countTokens('> path: a.js\n> let a = 1\n> let b = 2'))
    expect(tokens).toBe(items.reduce((sum, item) => sum + item.tokens, 0))
  })

  it('may leave out metadata, or write null', async () => {
    const session = await startConversation(app)
    await session.add({ type: 'a', content: 1 }, { type: 'b', content: 2, metadata: null })
    expect((await session.status()).context.items).toMatchObject([
      { type: 'a', metadata: {} },
      { type: 'b', metadata: {} },
    ])
  })

  it.each([
    ['id', { metadata: { id: 7 } }, { metadata: { id: '7', more: 1 } }],
    ['uri', { metadata: { uri: 'file:///a' } }, { metadata: { uri: 'file:///a', more: 1 } }],
    ['path', { metadata: { path: 'a.js' } }, { metadata: { path: 'a.js', more: 1 } }],
    ['page', { url: 'https://x.org/1' }, { url: 'https://x.org/1', state: 'closed' }],
  ])('with the same %s are versions of one, which keeps its place', async (_name, one, other) => {
    const session = await startConversation(app)
    await session.add({ type: 'x', content: 'old', ...one }, { type: 'x', content: 'between' })
    await session.add({ type: 'x', content: 'last' }, { type: 'x', content: 'new', ...other })
    expect(await contents(session)).toEqual(['new', 'between', 'last'])
  })

  it('are kept once where they say the same, and twice where they are about two things', async () => {
    const session = await startConversation(app)
    const path = 'a.js'
    await session.add({ type: 'x', content: 'same' }, { type: 'x', content: 'same' })
    await session.add({ type: 'x', content: 'same' }, { type: 'y', content: 'same' })
    await session.add(
      { type: 'code', content: '1', metadata: { path, start_line: 1 } },
      { type: 'code', content: '2', metadata: { path, start_line: 9 } },
      { type: 'code', content: '3', metadata: { path, start_line: 9 } },
      { type: 'note', content: '4', metadata: { path } },
    )
    expect(await contents(session)).toEqual(['same', 'same', '1', '3', '4'])
  })
})

describe('the document', () => {
  interface Operation {
    readonly requestBody?: {
      readonly content: Record<string, { examples?: Record<string, { value: unknown }> }>
    }
    readonly responses: Readonly<Record<string, unknown>>
  }

  it('has examples of every body, which do as they are', async () => {
    const { paths } = (await app.get('/openapi.json')).json<{
      paths: Record<string, Record<string, Operation>>
    }>()
    const json = { 'content-type': 'application/json' }
    const session = await startConversation(app)
    const sent: string[] = []
    for (const [path, { post }] of Object.entries(paths)) {
      if (!post || !path.startsWith('/mcp/session/{session_id}/')) continue
      const examples = post.requestBody?.content['application/json']?.examples ?? {}
      for (const [name, { value }] of Object.entries(examples)) {
        const to = path.replace('{session_id}', session.id)
        const query = name === 'query' ? '?repo_owner=octocat&repo_name=Hello-World' : ''
        const answer = await app.send('POST', to + query, json, JSON.stringify(value))
        const done = Object.keys(post.responses).filter((status) => status.startsWith('2'))
        expect([path, name, String(answer.status)]).toEqual([path, name, done[0]])
        sent.push(name)
      }
    }
    expect(sent.toSorted()).toEqual(['default', 'echo', 'issue', 'items', 'query'])
  })
})

describe('what cannot be an item', () => {
  it.each([
    [{ type: 'a', content: 'b' }, '', /array of items/],
    ['[{"type":"a"', '', /not valid JSON/],
    [[{ content: 'b' }], '/0/type', /is required/],
    [[{ type: 'a' }], '/0/content', /is required/],
    [[{ type: 'a', content: 1 }, 'text'], '/1', /expected object/],
    [[{ type: '', content: 1 }], '/0/type', /length/],
    [[{ type: 'a'.repeat(101), content: 1 }], '/0/type', /length/],
    [[{ type: 'a', content: 1, metadata: ['x'] }], '/0/metadata', /must be an object/],
    [[{ type: 'a', content: 1, contents: 2 }], '/0/contents', /did you mean "content"/],
    [[{ type: 'a', content: 1, labels: 'bug' }], '/0/labels', /must be a list/],
  ])('%j', async (items, pointer, message) => {
    const session = await startConversation(app)
    const answer = await session.tryAdd(items)
    expect(answer.status).toBe(400)
    const { code, detail, errors } = answer.json<Problem>()
    expect([code, detail]).toEqual(['invalid_request', expect.stringMatching(message)])
    if (errors) expect(errors[0]).toEqual({ pointer, message: expect.stringMatching(message) })
    expect(await contents(session)).toEqual([])
  })

  it('is named, all of it, and nothing is kept of the rest', async () => {
    const session = await startConversation(app)
    const answer = await session.tryAdd([{ type: 'a', content: 1 }, { type: 1 }, { content: 2 }])
    const { errors } = answer.json<Problem>()
    expect(errors?.map(({ pointer }) => pointer)).toEqual(['/1/content', '/1/type', '/2/type'])
    expect(await contents(session)).toEqual([])
  })

  it('is nested deeper than can be written', async () => {
    const session = await startConversation(app)
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const answer = await session.tryAdd(`[{"type":"a","content":${deep}}]`)
    expect([answer.status, answer.json<Problem>().errors?.[0]?.pointer]).toEqual([
      400,
      '/0/content',
    ])
  })
})

describe('limits', () => {
  const notes = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ type: 'note', content: `${from + index}` }))

  it('are 1,000 items a request and 2,000 a session', async () => {
    const session = await startConversation(app)
    const tooMany = await session.tryAdd(notes(0, 1_001))
    expect(tooMany.json()).toMatchObject({
      status: 413,
      code: 'payload_too_large',
      detail: expect.stringContaining('1001 items are more than the 1000'),
    })
    await session.add(...notes(0, 1_000))
    await session.add(...notes(1_000, 1_000))
    const full = await session.tryAdd(notes(2_000, 1))
    expect(full.json()).toMatchObject({ status: 413, code: 'payload_too_large' })
    expect(full.json<Problem>().detail).toMatch(/more than 2000 items\. Send fewer, or use a new/)
    // What is there may still be replaced, and talked about.
    await session.add(...notes(500, 10))
    expect((await session.status()).context.items).toHaveLength(2_000)
    expect((await session.invoke('Well?')).usage.items_sent).toBeGreaterThan(100)
  })

  it('are 4 MiB a request and 8 MiB a session', async () => {
    const session = await startConversation(app)
    const large = (id: number, size: number) => ({
      type: 'document',
      content: `${id} ${'word '.repeat(size / 5)}`,
      metadata: { id },
    })
    const body = await session.tryAdd([large(0, 4_300_000)])
    expect(body.json()).toMatchObject({
      status: 413,
      code: 'payload_too_large',
      detail: expect.stringContaining('4096 KiB'),
    })
    await session.add(large(1, 4_100_000))
    await session.add(large(2, 4_000_000))
    const full = await session.tryAdd([large(3, 1_000_000)])
    expect(full.json()).toMatchObject({ status: 413, code: 'payload_too_large' })
    expect(full.json<Problem>().detail).toMatch(/larger than 8 MiB\. Send less, or use a new/)
    expect((await session.status()).context.items).toHaveLength(2)
  })
})
