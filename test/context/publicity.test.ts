import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AnswerEntry } from '../../src/cache/entry.ts'
import { createSharedTimes } from '../../src/cache/times.ts'
import { createPublicity, type Publicity } from '../../src/context/publicity.ts'
import { hearPublicity } from '../../src/context/webhooks/heard.ts'
import { createRedisService, type RedisService } from '../../src/redis/redis.ts'
import { createClock } from '../support/cache.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

const MINUTE = 60
const talk = { owner: 'Octo', repo: 'Talk' }
const entry = (asOf: number): AnswerEntry => ({
  kind: 'answer',
  contextId: '',
  body: Buffer.alloc(0),
  tags: ['issue:octo/talk#1', 'access:octo', 'access:octo/talk'],
  asOf,
  freshUntil: asOf,
  staleUntil: asOf,
  keepUntil: asOf,
})

describe('GitHub’s word on a repository', () => {
  const setUp = () => {
    const clock = createClock()
    const publicity = createPublicity(undefined, clock.now)
    const hear = (visibility: 'public' | 'private') => publicity.listen()([{ ...talk, visibility }])
    const permits = (asOf: number) => publicity.permits(entry(asOf), 'if_public')
    return { clock, hear, permits, publicity }
  }

  it('holds for what was read at most a quarter of an hour later, and for all before', async () => {
    const { clock, hear, permits } = setUp()
    const at = clock.now()
    expect(await permits(at)).toBe(false)
    hear('public')
    expect(await permits(at - 3_600_000)).toBe(true)
    expect(await permits(at + 15 * MINUTE * 1000)).toBe(true)
    expect(await permits(at + 15 * MINUTE * 1000 + 1)).toBe(false)
  })

  it('is the last one, and private where two are of one moment', async () => {
    const { clock, hear, permits } = setUp()
    hear('public')
    hear('private')
    expect(await permits(clock.now())).toBe(false)
    clock.advance(1)
    hear('public')
    expect(await permits(clock.now())).toBe(true)
  })

  it('is forgotten when somebody is refused what he had', async () => {
    const { clock, hear, permits, publicity } = setUp()
    hear('public')
    publicity.lost(entry(clock.now()))
    expect(await permits(clock.now())).toBe(false)
  })

  it('that it is private ends the time of what was public, not of what came later', async () => {
    const { clock, hear, publicity } = setUp()
    const before = entry(clock.now())
    expect(await publicity.permits(before, 'unless_private')).toBe(true)
    clock.advance(1)
    hear('private')
    expect(await publicity.permits(before, 'unless_private')).toBe(false)
    clock.advance(1)
    expect(await publicity.permits(entry(clock.now()), 'unless_private')).toBe(true)
  })

  it.each([
    ['repository', 'privatized', { full_name: 'Octo/Talk', private: true }],
    ['repository', 'deleted', { full_name: 'Octo/Talk', private: false, visibility: 'public' }],
    ['issues', 'edited', { full_name: 'Octo/Talk', private: true, visibility: 'internal' }],
  ])('is forgotten by the delivery %s %s', async (event, action, repository) => {
    const { clock, hear, permits, publicity } = setUp()
    hear('public')
    hearPublicity(publicity, event, { action, repository }, clock.now())
    expect(await permits(clock.now())).toBe(false)
  })

  it('is as old as GitHub wrote it, however late a delivery comes, or again', async () => {
    const { clock, permits, publicity } = setUp()
    const updated_at = new Date(clock.now() - 3_600_000).toISOString()
    const payload = {
      issue: { number: 1, updated_at },
      repository: { full_name: 'octo/talk', private: false, visibility: 'public' },
    }
    hearPublicity(publicity, 'issues', payload, clock.now())
    expect(await permits(clock.now())).toBe(false)
    expect(await permits(clock.now() - 3_000_000)).toBe(true)
  })
})

describe('among replicas', () => {
  let server: RedisServer
  const services: RedisService[] = []
  let here: Publicity
  let there: Publicity
  const start = async () => {
    const redis = createRedisService({ url: server.url, now: Date.now, onChange: () => {} })
    services.push(redis)
    await redis.ready(5_000)
    return createPublicity(createSharedTimes(redis.commands, 'public'), Date.now)
  }
  beforeAll(async () => {
    server = await startRedis()
    here = await start()
    there = await start()
  })
  afterAll(async () => {
    for (const service of services) service.close()
    await server.close()
  })

  it('each knows what one was told; and without Redis a public one cannot be told', async () => {
    const at = Date.now()
    const permitted = () => there.permits(entry(at), 'if_public')
    expect(await permitted()).toBe(false)
    here.heard({ ...talk, visibility: 'public' }, at)
    await expect.poll(permitted).toBe(true)
    here.heard({ ...talk, visibility: 'private' }, at + 1)
    await expect.poll(permitted).toBe(false)
    here.heard({ ...talk, visibility: 'public' }, at + 2)
    await expect.poll(permitted).toBe(true)
    await server.kill()
    expect(await permitted()).toBe(false)
    expect(await here.permits(entry(at), 'if_public')).toBe(false)
    expect(await here.permits(entry(at), 'unless_private')).toBe(true)
  })
})
