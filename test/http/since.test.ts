import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Context, startApp } from '../support/app.ts'
import { textsOf } from '../support/follow.ts'
import {
  addComments,
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

interface Changes extends Context {
  readonly since: string
  readonly unchanged_blocks: number
}

const issue = {
  context_type: 'github_issue',
  params: { owner: 'octo', repo: 'talk', issue_number: 1 },
  max_age: 0,
}

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

let github: GitHub
let app: App
let talk: ReturnType<typeof addIssue>
beforeEach(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  talk = addIssue(github.world, 'octo/talk', { title: 'Talk' })
  addComments(github.world, talk, 3, (i) => ({
    body: `Text ${i}.\n\nMore of ${i}.`,
  }))
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN, REDIS_URL: redis.url } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const say = (body: string) => {
  addComments(github.world, talk, 1, () => ({ body }))
}

describe('since', () => {
  it('tells only what is new', async () => {
    const { context_id, tokens } = await app.context(issue)
    say('News.')
    const changes = (await app.context({ ...issue, since: context_id })) as Changes
    expect(changes.since).toBe(context_id)
    expect(changes.context_id).not.toBe(context_id)
    expect(textsOf(changes.context)).toEqual(['News.'])
    const [block] = changes.context
    expect(block?.content).toMatch(/^# Issue octo\/talk#1\n> Talk\n[\s\S]*> News\.$/)
    expect(block?.content).not.toContain('Text 1.')
    expect(changes.tokens).toBeLessThan(tokens)
    expect(changes.tokens).toBe(block?.tokens)
  })

  it('answers 304 where nothing changed', async () => {
    const { context_id } = await app.context(issue)
    const again = await app.post({ ...issue, since: context_id })
    expect([again.status, again.text]).toEqual([304, ''])
  })

  it('is known to every replica, and after a restart', async () => {
    const { context_id } = await app.context(issue)
    say('News.')
    await using other = await startApp({
      github,
      env: { GITHUB_TOKEN: OCTOCAT_TOKEN, REDIS_URL: redis.url },
    })
    const changes = (await other.context({ ...issue, since: context_id })) as Changes
    expect(textsOf(changes.context)).toEqual(['News.'])
  })

  it('tells all where what the caller has is not kept', async () => {
    const whole = await app.context(issue)
    const since = whole.context_id.replace(/[0-9a-f]{32}$/, '0'.repeat(32))
    expect(await app.context({ ...issue, since })).toEqual(whole)
  })

  it('does not compare with what another principal was told', async () => {
    const { context_id } = await app.context(issue)
    say('News.')
    await using anonymous = await startApp({ github, env: { REDIS_URL: redis.url } })
    const answer = (await anonymous.context({ ...issue, since: context_id })) as Partial<Changes>
    expect(answer.since).toBeUndefined()
    expect(textsOf(answer.context ?? [])).toHaveLength(4)
  })

  it('works by GET, and for markdown', async () => {
    const { context_id } = await app.context(issue)
    say('News.')
    const path = `/mcp/context/github_issue?owner=octo&repo=talk&issue_number=1&max_age=0&since=${context_id}`
    const { text, headers } = await app.get(path, { accept: 'text/markdown' })
    expect(text).toContain('> News.')
    expect(text).not.toContain('Text 1.')
    expect(
      (await app.get(path, { 'if-none-match': String(headers.etag), accept: 'text/markdown' }))
        .status,
    ).toBe(304)
  })

  it('refuses what is no context_id', async () => {
    expect((await app.post({ ...issue, since: 'yesterday' })).status).toBe(400)
  })
})
