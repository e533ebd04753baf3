import { mkdtempDisposable, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import { type GitHub, startGitHub } from '../support/github/index.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { startConversation } from '../support/sessions.ts'

let github: GitHub
let folder: Awaited<ReturnType<typeof mkdtempDisposable>>
beforeEach(async () => {
  github = await startGitHub()
  folder = await mkdtempDisposable(join(tmpdir(), 'data-'))
})
afterEach(async () => {
  await github.close()
  await folder.remove()
})

const note = (content: string) => ({ type: 'note', content })
const checkOf = async (app: App) =>
  (await app.get('/health')).json<{ checks: Record<string, { status: string }> }>().checks.sessions

describe('with Redis', () => {
  let redis: RedisServer
  let app: App
  beforeEach(async () => {
    redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    app = await startApp({ github, env: { REDIS_URL: redis.url, DATA_DIR: folder.path } })
  })
  afterEach(async () => {
    await app.close()
    await redis.close()
  })

  it.each([
    ['killed', () => redis.kill(), () => redis.restart()],
    ['hung', async () => redis.pause(), async () => redis.resume()],
  ])('%s, sessions say so and when to come back, and lose nothing', async (_n, fail, mend) => {
    const session = await startConversation(app)
    await session.add(note('before'))
    await session.invoke('Before')
    await fail()
    const answers = [
      await session.tryStatus(),
      await session.tryAdd([note('meanwhile')]),
      await session.tryInvoke('Meanwhile'),
      await app.send('POST', '/mcp/session/create'),
    ]
    for (const answer of answers) {
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '2'])
      const { code, detail } = answer.json<Problem>()
      expect([code, detail]).toEqual(['overloaded', expect.stringMatching(/in Redis.*not answer/)])
    }
    expect(await checkOf(app)).toMatchObject({ status: 'degraded' })
    await mend()
    await expect.poll(async () => (await session.tryStatus()).status, { timeout: 10_000 }).toBe(200)
    const { context, history } = await session.status()
    // What was refused is not carried out later.
    expect(context.items).toMatchObject([note('before')])
    expect(history).toMatchObject([{ user_input: 'Before' }])
    expect(await checkOf(app)).toEqual({ status: 'ok' })
    await session.add(note('after'))
    expect(await readdir(folder.path)).toEqual([])
  })

  it('restarted between two requests, nobody is refused', async () => {
    const session = await startConversation(app)
    await session.add(note('one'))
    await redis.restart()
    await session.add(note('two'))
    expect((await session.status()).context.items).toHaveLength(2)
  })

  it('full, sessions can be read and deleted, and what cannot be kept is refused', async () => {
    const session = await startConversation(app)
    await session.add(note('before'))
    const client = new Redis(redis.url)
    await client.config('SET', 'maxmemory', '1')
    const full = await session.tryAdd([note('more')])
    expect([full.status, full.headers['retry-after']]).toEqual([503, '30'])
    expect(full.json<Problem>().detail).toMatch(/Redis, which has no memory left/)
    expect((await session.tryInvoke('Hi')).status).toBe(503)
    expect((await session.status()).context.items).toHaveLength(1)
    expect((await session.status()).history).toEqual([])
    expect((await session.remove()).status).toBe(204)
    client.disconnect()
  })

  it('keeps no TTL by which a session could be evicted, and no id that could be used', async () => {
    const session = await startConversation(app)
    await session.add(note('before'))
    const client = new Redis(redis.url)
    const keys = (await client.keys('gcs1:*session*')).toSorted()
    expect(keys).toHaveLength(2)
    for (const key of keys) expect(await client.ttl(key)).toBe(-1)
    expect(keys.join()).not.toContain(session.id)
    client.disconnect()
  })
})

describe('with a folder', () => {
  it('that cannot be used, sessions say so, and the rest of the service works', async () => {
    const place = join(folder.path, 'taken')
    await writeFile(place, 'a file')
    await using app = await startApp({ github, env: { DATA_DIR: place } })
    const answer = await app.send('POST', '/mcp/session/create')
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '30'])
    expect(answer.json<Problem>().detail).toMatch(/DATA_DIR .* or REDIS_URL/)
    expect(answer.text).not.toContain(folder.path)
    expect(await checkOf(app)).toMatchObject({ status: 'degraded' })
    const params = { owner: 'octocat', repo: 'Hello-World' }
    await app.block({ context_type: 'github_repo', params })
    await rm(place)
    await startConversation(app)
    expect(await checkOf(app)).toEqual({ status: 'ok' })
  })

  it('makes nothing in it before the first session, and nothing that others may read', async () => {
    const place = join(folder.path, 'deep', 'data')
    await using app = await startApp({ github, env: { DATA_DIR: place } })
    await app.get('/metrics')
    expect(await readdir(folder.path)).toEqual([])
    await startConversation(app)
    for (const file of await readdir(place))
      expect([file, (await stat(join(place, file))).mode & 0o077]).toEqual([file, 0])
  })

  it('that another process writes to, sessions wait for it without holding others up', async () => {
    await using app = await startApp({ github, env: { DATA_DIR: folder.path } })
    const session = await startConversation(app)
    const other = new DatabaseSync(join(folder.path, 'sessions.db'))
    other.exec('BEGIN IMMEDIATE')
    let added = false
    const pending = session.add(note('one')).then(() => {
      added = true
    })
    for (let asked = 0; asked < 20; asked += 1)
      expect((await app.get('/health/live')).status).toBe(200)
    expect(added).toBe(false)
    other.exec('COMMIT')
    await pending
    expect((await session.status()).context.items).toHaveLength(1)
    other.close()
  })

  it('of a later version of the service is left alone', async () => {
    const db = new DatabaseSync(join(folder.path, 'sessions.db'))
    db.exec('PRAGMA user_version = 99')
    db.close()
    await using app = await startApp({ github, env: { DATA_DIR: folder.path } })
    expect((await app.send('POST', '/mcp/session/create')).status).toBe(503)
  })
})
