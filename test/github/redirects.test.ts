import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'

interface Elsewhere {
  readonly url: string
  readonly requests: IncomingMessage[]
  readonly server: Server
}

/** A server that is not GitHub: answers everything with one body, and remembers who came. */
async function startElsewhere(body: Buffer | string = '{}', headers = {}): Promise<Elsewhere> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, requests, server }
}

let github: GitHub
let app: App
let elsewhere: Elsewhere
beforeEach(async () => {
  github = await startGitHub()
  elsewhere = await startElsewhere()
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
})
afterEach(async () => {
  await app.close()
  await github.close()
  elsewhere.server.closeAllConnections()
  await new Promise((resolve) => elsewhere.server.close(resolve))
})

const repo = { context_type: 'github_repo', params: { owner: 'octocat', repo: 'Hello-World' } }
const PATH = '/repos/octocat/hello-world'

const redirect = (status: number, location: string, times = 1) =>
  github.fault({ match: PATH, kind: 'status', status, headers: { Location: location }, times })

describe('a redirect', () => {
  it.each([301, 302, 307, 308])(
    'within GitHub is followed, with the credential: %i',
    async (status) => {
      redirect(status, `${github.url}/repositories/1296269`)
      expect((await app.block(repo)).title).toBe('octocat/Hello-World')
      expect(github.requests.map(({ path, principal }) => [path, principal])).toEqual([
        [PATH, 'octocat'],
        ['/repositories/1296269', 'octocat'],
      ])
    },
  )

  it('may be relative', async () => {
    redirect(301, '/repositories/1296269')
    expect((await app.block(repo)).title).toBe('octocat/Hello-World')
  })

  it.each<[string, (url: string) => string]>([
    ['another port', (url) => url],
    ['no scheme', (url) => url.replace('http:', '')],
    ['the host as a user', (url) => url.replace('//', `//${new URL(github.url).host}@`)],
    ['another scheme', () => github.url.replace('http:', 'https:')],
  ])('that leads away is not followed, and nothing is sent there: %s', async (_name, to) => {
    redirect(301, `${to(elsewhere.url)}/repositories/1296269`)
    const answer = await app.post(repo)
    expect(answer.json<Problem>()).toMatchObject({ code: 'upstream_error', status: 502 })
    expect(elsewhere.requests).toEqual([])
    expect(github.count()).toBe(1)
    expect(answer.text).not.toContain(new URL(elsewhere.url).host)
  })

  it('in a circle ends', async () => {
    redirect(301, PATH, Number.POSITIVE_INFINITY)
    expect((await app.post(repo)).json()).toMatchObject({ code: 'upstream_error', status: 502 })
    expect(github.count()).toBeLessThan(6)
  })

  it('without a place to go is an error', async () => {
    github.fault({ match: PATH, kind: 'status', status: 302 })
    expect((await app.post(repo)).json()).toMatchObject({ code: 'upstream_error', status: 502 })
  })
})

describe('an answer that is none', () => {
  it.each<[string, Buffer | string, Record<string, string>]>([
    ['HTML', '<html>', {}],
    ['nothing', '', {}],
    ['what is not the zip it claims to be', 'not zipped', { 'content-encoding': 'gzip' }],
    [
      'half a zip',
      gzipSync(JSON.stringify({ a: 'b'.repeat(5_000) })).subarray(0, 30),
      { 'content-encoding': 'gzip' },
    ],
    ['another thing than was asked for', '{"message":"hello"}', {}],
    ['null', 'null', {}],
  ])('is an error of GitHub’s: %s', async (_name, body, headers) => {
    const other = await startElsewhere(body, headers)
    await using confused = await startApp({ github: other })
    const problem = (await confused.post(repo)).json<Problem>()
    expect(problem).toMatchObject({ code: 'upstream_error', status: 502 })
    other.server.closeAllConnections()
    await new Promise((resolve) => other.server.close(resolve))
  })

  it('is not unpacked beyond what GitHub ever sends', async () => {
    const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024, ' '))
    expect(bomb.length).toBeLessThan(100_000)
    const other = await startElsewhere(bomb, { 'content-encoding': 'gzip' })
    await using confused = await startApp({ github: other })
    const problem = (await confused.post(repo)).json<Problem>()
    expect(problem).toMatchObject({ code: 'upstream_error', status: 502 })
    expect(problem.detail).toContain('too large')
    other.server.closeAllConnections()
    await new Promise((resolve) => other.server.close(resolve))
  })
})
