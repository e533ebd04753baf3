import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { type App, startApp } from '../support/app.ts'
import { type GitHub, startGitHub } from '../support/github/index.ts'

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  app = await startApp({ github })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

describe('health', () => {
  it('says who it is', async () => {
    const answer = await app.get('/health')
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({
      status: 'ok',
      message: 'github-context-service is running',
      server: manifest.name,
      version: manifest.version,
      checks: expect.any(Object),
    })
  })

  it('asks nobody else to say so', async () => {
    github.resetCounts()
    github.fault({ match: () => true, kind: 'hang' })
    expect((await app.get('/health')).status).toBe(200)
    expect((await app.get('/health/ready')).status).toBe(200)
    expect(github.count()).toBe(0)
    github.clearFaults()
  })

  it('is ready for traffic only between start and drain, and alive all the time', async () => {
    await using other = await startApp({ github })
    const found: unknown[] = []
    for (const state of ['starting', 'ready', 'draining'] as const) {
      other.health.become(state)
      const ready = await other.get('/health/ready')
      const live = await other.get('/health/live')
      found.push([ready.status, ready.json(), live.status])
    }
    expect(found).toEqual([
      [503, { status: 'starting', detail: expect.stringMatching(/GitHub/) }, 200],
      [200, { status: 'ready' }, 200],
      [503, { status: 'draining', detail: expect.stringMatching(/another replica/) }, 200],
    ])
  })

  it('serves while draining', async () => {
    await using other = await startApp({ github })
    other.health.become('draining')
    const answer = await other.get('/mcp/context/github_repo?owner=octocat&repo=Hello-World')
    expect(answer.status).toBe(200)
  })
})

describe('every answer', () => {
  it.each(['/health', '/nothing', '/mcp/context-types', '/docs/'])(
    'has the headers that keep browsers from guessing: %s',
    async (path) => {
      const { headers } = await app.get(path)
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['x-request-id']).toMatch(/./)
      expect(headers['x-powered-by']).toBeUndefined()
    },
  )
})
