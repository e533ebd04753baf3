import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, type App, type Problem, startApp } from '../support/app.ts'
import {
  addAccount,
  addIssue,
  addRepository,
  type GitHub,
  issueOf,
  startGitHub,
  updateIssue,
} from '../support/github/index.ts'
import { deliver, signature } from '../support/webhooks.ts'

const SECRET = 'a webhook secret'
const TOKEN = 'ghp_octooctooctooctooctooctooctooctoocto'
const issue = {
  context_type: 'github_issue',
  params: { owner: 'Octo', repo: 'Talk', issue_number: 1 },
}
const edited = {
  action: 'edited',
  repository: { full_name: 'Octo/Talk' },
  issue: { number: 1 },
}

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  addAccount(github.world, { login: 'octo', token: TOKEN })
  addRepository(github.world, { owner: 'octo', name: 'talk', private: true })
  addIssue(github.world, 'octo/talk', { title: 'before' })
  app = await start({ GITHUB_WEBHOOK_SECRET: SECRET })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const start = (env: Record<string, string>) =>
  startApp({ github, env: { GITHUB_TOKEN: TOKEN, ...env } })
const ask = () => app.post(issue)
const status = (answer: Answer) => String(answer.headers['cache-status'])
const warm = async () => {
  await ask()
  expect(status(await ask())).toMatch(/hit; ttl=\d/)
}

describe('a signed delivery', () => {
  it('makes the next answer be asked of GitHub', async () => {
    await warm()
    const target = issueOf(github.world, 'octo/talk', 1)
    updateIssue(github.world, target, { title: 'after' })
    expect((await ask()).text).toContain('before')
    const delivered = await deliver(app, 'issues', edited, SECRET)
    expect([delivered.status, delivered.text]).toEqual([202, ''])
    const next = await ask()
    expect(status(next)).toContain('fwd=')
    expect(next.text).toContain('after')
    expect(status(await ask())).toMatch(/hit; ttl=\d/)
  })

  it('costs nothing where nothing has changed', async () => {
    await warm()
    await deliver(app, 'issues', edited, SECRET)
    expect(status(await ask())).toContain('fwd-status=304')
  })

  it('leaves alone what it does not name', async () => {
    await warm()
    const others = [
      { ...edited, issue: { number: 2 } },
      { ...edited, repository: { full_name: 'octo/other' } },
    ]
    for (const payload of others) await deliver(app, 'issues', payload, SECRET)
    expect(status(await ask())).toMatch(/hit; ttl=\d/)
  })

  it('may come as a form', async () => {
    await warm()
    const body = new URLSearchParams({ payload: JSON.stringify(edited) }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await deliver(app, 'issues', body, SECRET, headers)).status).toBe(202)
    expect(status(await ask())).toContain('fwd=')
  })

  it('takes away what was made private, and a failing GitHub does not bring it back', async () => {
    await warm()
    github.fault({ match: '/repos/*', kind: 'status', status: 500 })
    await deliver(app, 'issues', edited, SECRET)
    expect(status(await ask())).toContain('stale-if-error')
    await deliver(app, 'repository', { ...edited, action: 'privatized' }, SECRET)
    const answer = await ask()
    expect([answer.status, answer.json<Problem>().code]).toEqual([502, 'upstream_error'])
  })

  it('takes away everything of an account whose installation changes', async () => {
    await warm()
    github.fault({ match: '/repos/*', kind: 'status', status: 500 })
    const payload = { action: 'deleted', installation: { account: { login: 'OCTO' } } }
    expect((await deliver(app, 'installation', payload, SECRET)).status).toBe(202)
    expect((await ask()).status).toBe(502)
  })

  it('counts once, however often it comes', async () => {
    await warm()
    const again = { 'x-github-delivery': 'b6d1ba2e-0000-11f0-8000-000000000001' }
    expect((await deliver(app, 'issues', edited, SECRET, again)).status).toBe(202)
    await ask()
    expect((await deliver(app, 'issues', edited, SECRET, again)).status).toBe(204)
    expect(status(await ask())).toMatch(/hit; ttl=\d/)
  })

  it('of no concern is acknowledged and counted', async () => {
    await warm()
    expect((await deliver(app, 'ping', { zen: 'Keep it simple' }, SECRET)).status).toBe(204)
    expect((await deliver(app, 'never_heard_of', edited, SECRET)).status).toBe(204)
    await deliver(app, 'issues', edited, SECRET)
    const { text } = await app.get('/metrics')
    expect(text).toContain('github_webhooks_total{event="other",outcome="ignored"} 2')
    expect(text).toContain('github_webhooks_total{event="issues",outcome="applied"} 1')
  })

  it('needs no API key and is not limited', async () => {
    const env = { API_KEYS: 'ann:ann-key-0123456789', RATE_LIMIT_MAX: '1' }
    await using closed = await start({ GITHUB_WEBHOOK_SECRET: SECRET, ...env })
    for (const _ of [1, 2, 3])
      expect((await deliver(closed, 'issues', edited, SECRET)).status).toBe(202)
  })
})

describe('the work of a delivery', () => {
  it('keeps nobody waiting but the end of the service', async () => {
    const work = Promise.withResolvers<void>()
    const done: string[] = []
    const webhooks = {
      secrets: [SECRET],
      deliveries: { first: async () => true },
      mark: () => work.promise.then(() => void done.push('marked')),
      delivered: () => {},
    }
    const slow = await startApp({ github, replace: { webhooks } })
    const idle = await start({ GITHUB_WEBHOOK_SECRET: SECRET })
    expect((await deliver(idle, 'issues', edited, SECRET)).status).toBe(202)
    expect((await deliver(slow, 'issues', edited, SECRET)).status).toBe(202)
    const closing = slow.close().then(() => void done.push('closed'))
    // Another, which has no such work, begins to close later and is done with it.
    await idle.close()
    expect(done).toEqual([])
    work.resolve()
    await closing
    expect(done).toEqual(['marked', 'closed'])
  })

  it('is logged where it fails, and the next one is taken', async () => {
    const webhooks = {
      secrets: [SECRET],
      deliveries: { first: async () => true },
      mark: () => Promise.reject(new Error('no store')),
      delivered: () => {},
    }
    await using broken = await startApp({ github, replace: { webhooks } })
    for (const _ of [1, 2])
      expect((await deliver(broken, 'issues', edited, SECRET)).status).toBe(202)
    expect(broken.logs).toContainEqual(expect.objectContaining({ level: 50 }))
  })
})

describe('the secret', () => {
  it('may be one of several while it is rotated', async () => {
    await using rotating = await start({ GITHUB_WEBHOOK_SECRET: 'new one, old one' })
    for (const secret of ['new one', 'old one'])
      expect((await deliver(rotating, 'issues', edited, secret)).status).toBe(202)
    expect((await deliver(rotating, 'issues', edited, 'another one')).status).toBe(401)
  })

  it('is what the route depends on', async () => {
    await using without = await start({})
    expect((await deliver(without, 'issues', edited, SECRET)).status).toBe(404)
    expect((await without.get('/openapi.json')).text).not.toContain('webhook')
    expect((await app.get('/openapi.json')).text).toContain('/webhooks/github')
  })

  it.each<[string, Record<string, string>]>([
    ['another secret', { 'x-hub-signature-256': signature('another', JSON.stringify(edited)) }],
    ['another body', { 'x-hub-signature-256': signature(SECRET, '{}') }],
    ['no algorithm', { 'x-hub-signature-256': signature(SECRET, JSON.stringify(edited)).slice(7) }],
    ['garbage', { 'x-hub-signature-256': 'sha256=zz' }],
    [
      'the old algorithm',
      {
        'x-hub-signature-256': `sha1=${createHmac('sha1', SECRET).update(JSON.stringify(edited)).digest('hex')}`,
      },
    ],
  ])('is not known to whoever signs with %s, and nothing changes', async (_name, headers) => {
    await warm()
    const answer = await deliver(app, 'repository', edited, SECRET, headers)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.json<Problem>()).toMatchObject({ status: 401, code: 'unauthorized' })
    expect(status(await ask())).toMatch(/hit; ttl=\d/)
    expect(JSON.stringify([app.logs, answer.text])).not.toContain(SECRET)
    expect((await app.get('/metrics')).text).not.toContain('github_webhooks_total{')
  })
})

describe('what is no delivery', () => {
  it.each(['x-github-event', 'x-github-delivery', 'x-hub-signature-256'])(
    'without %s is told so, before its body is read',
    async (name) => {
      const answer = await deliver(app, 'issues', edited, SECRET, { [name]: '' })
      const { code, detail, status } = answer.json<Problem>()
      expect([status, code]).toEqual([400, 'invalid_request'])
      expect(detail.toLowerCase()).toContain(name)
    },
  )

  it.each(['', '[', '7', 'null', '"text"'])('with the body %j is a problem', async (body) => {
    const answer = await deliver(app, 'issues', body, SECRET)
    expect([400, 401]).toContain(answer.status)
    expect(answer.headers['content-type']).toContain('application/problem+json')
  })

  it('of another media type is a 415', async () => {
    const headers = { 'content-type': 'text/plain' }
    expect((await deliver(app, 'issues', edited, SECRET, headers)).status).toBe(415)
  })

  it('beyond 25 MiB is a 413; up to there it is taken', async () => {
    const frame = JSON.stringify({ ...edited, filler: '' }).length
    const of = (bytes: number) => JSON.stringify({ ...edited, filler: 'x'.repeat(bytes - frame) })
    const largest = 25 * 1024 * 1024
    expect((await deliver(app, 'issues', of(largest), SECRET)).status).toBe(202)
    const answer = await deliver(app, 'issues', of(largest + 1), SECRET)
    expect(answer.json<Problem>()).toMatchObject({
      status: 413,
      code: 'payload_too_large',
      detail: expect.stringContaining('25 MiB'),
    })
  })

  it('leaves the limits and parsers of other routes as they are', async () => {
    const large = { ...issue, query: 'x'.repeat(300_000) }
    expect((await app.post(large)).json<Problem>()).toMatchObject({
      status: 413,
      detail: expect.stringContaining('256 KiB'),
    })
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await app.post('payload={}', form)).status).toBe(415)
  })
})
