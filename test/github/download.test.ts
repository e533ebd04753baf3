import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStoreRule } from '../../src/github/stores.ts'
import { type TestedClient, testedClient } from '../support/gitHubClient.ts'
import {
  addJob,
  addRepository,
  addRun,
  type GitHub,
  OCTOCAT_TOKEN,
  type Run,
  repositoryOf,
  startGitHub,
} from '../support/github/index.ts'

const MEGABYTE = 1_048_576
const LINE = `${'x'.repeat(1_023)}\n`

let github: GitHub
let run: Run
beforeEach(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'acme', name: 'api' })
  run = addRun(github.world, 'acme/api', { head_sha: 'a'.repeat(40), conclusion: 'failure' })
})
afterEach(() => github.close())

type Log = NonNullable<Parameters<typeof addJob>[3]>['log']

/** The end of a job's log, as the service's client gets it. */
async function tailOf(
  log: Log,
  { tail = MEGABYTE, location, ...options }: Partial<Options> = {},
): Promise<{ text: string; skipped: number }> {
  const job = addJob(github.world, 'acme/api', run, {
    ...(log !== undefined && { log }),
    ...(location && { location }),
  })
  await using client = clientOf(options)
  return await client.download('/repos/{owner}/{repo}/actions/jobs/{job_id}/logs', {
    params: { owner: 'acme', repo: 'api', job_id: job.body.id },
    tail,
  })
}

interface Options {
  tail: number
  location: string
  timeoutMs: number
  token: string
  downloadHosts: readonly string[]
  signal: AbortSignal
}

function clientOf(options: Partial<Options> = {}): TestedClient {
  return testedClient({
    url: github.url,
    token: OCTOCAT_TOKEN,
    downloadHosts: [new URL(github.blobs.url).host],
    ...options,
  })
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error: { code?: unknown }) => (typeof error.code === 'string' ? error.code : String(error)),
  )

describe('a download', () => {
  it('comes from another host, which never sees the credential', async () => {
    expect(await tailOf('\ufeffone\n\u001b[1mtwo\u001b[0m\n')).toEqual({
      text: 'one\ntwo\n',
      skipped: 0,
    })
    const [request, ...more] = github.blobs.requests
    expect(more).toEqual([])
    expect(request).toMatchObject({ authorization: undefined, status: 200 })
    expect(request?.headers.join()).not.toMatch(/auth|cookie|github/)
    expect(github.requests.map(({ principal }) => principal)).toEqual(['octocat'])
  })

  it('keeps the end, from the start of a line on', async () => {
    expect(await tailOf('first\nsecond\nthird\n', { tail: 10 })).toEqual({
      text: 'third\n',
      skipped: 13,
    })
    expect(await tailOf('no line ends here', { tail: 4 })).toEqual({ text: 'here', skipped: 13 })
    const long = function* () {
      for (let i = 0; i < 20_000; i++) yield i === 19_999 ? 'the end\n' : LINE
    }
    const { text, skipped } = await tailOf(long, { tail: 4_096 })
    expect(text).toMatch(/^x{1023}\n(x{1023}\n)*the end\n$/)
    expect(text.length + skipped).toBe(19_999 * 1_024 + 8)
  })

  it('stops reading what has no end', async () => {
    const endless = function* () {
      for (;;) yield LINE.repeat(64)
    }
    expect(await code(tailOf(endless, { timeoutMs: 60_000 }))).toBe('upstream_error')
    await expect.poll(() => github.blobs.requests[0]?.aborted).toBe(true)
    expect(github.blobs.requests).toHaveLength(1)
  })

  it.each([
    ['gone', { expired: true } as const],
    ['not there yet', undefined],
  ])('of what is %s is not found', async (_name, log) => {
    expect(await code(tailOf(log))).toBe('not_found')
    expect(github.blobs.requests).toEqual([])
  })

  it('is made anew, address and all, when the store fails for a moment', async () => {
    github.blobs.fault = { kind: 'status', status: 503, times: 1 }
    expect(await tailOf('text\n')).toEqual({ text: 'text\n', skipped: 0 })
    const signatures = github.blobs.requests.map(({ path }) => path)
    expect(signatures).toHaveLength(2)
    expect(github.count()).toBe(2)
  })

  it.each([
    [{ kind: 'status', status: 404 } as const, 'not_found'],
    [{ kind: 'status', status: 403 } as const, 'upstream_error'],
    [
      { kind: 'status', status: 200, headers: { 'content-encoding': 'br' } } as const,
      'upstream_error',
    ],
    [{ kind: 'truncate' } as const, 'upstream_unreachable'],
    [{ kind: 'hang' } as const, 'upstream_timeout'],
    [{ kind: 'stall' } as const, 'upstream_timeout'],
  ])('fails as it should: %o', async (fault, expected) => {
    github.blobs.fault = fault
    expect(await code(tailOf('some text\n', { timeoutMs: 700 }))).toBe(expected)
  })

  it('is not led on by the store', async () => {
    const headers = { location: `${github.url}/user` }
    github.blobs.fault = { kind: 'status', status: 302, headers }
    expect(await code(tailOf('x'))).toBe('upstream_error')
    expect(github.count({ path: '/user' })).toBe(0)
  })

  it('ends when nobody waits any more', async () => {
    github.blobs.fault = { kind: 'hang' }
    const waiting = new AbortController()
    const result = code(tailOf('x', { signal: waiting.signal }))
    await expect.poll(() => github.blobs.requests.length).toBe(1)
    waiting.abort()
    expect(await result).toMatch(/AbortError/)
    await expect.poll(() => github.blobs.requests[0]?.aborted).toBe(true)
  })

  it('does not follow where GitHub does not keep files', async () => {
    const location = `${github.blobs.url}/secret`
    const failure = tailOf('x', { location, downloadHosts: ['elsewhere.example'] })
    await expect(failure).rejects.toMatchObject({
      code: 'upstream_error',
      detail: expect.stringContaining('GITHUB_DOWNLOAD_HOSTS'),
    })
    expect(github.blobs.requests).toEqual([])
  })

  it('goes by the repository’s new name, and is answered by GitHub itself where it likes', async () => {
    const job = addJob(github.world, 'acme/api', run, { log: 'renamed\n' })
    const { id } = repositoryOf(github.world, 'acme/api').body
    const path = `/repositories/${id}/actions/jobs/${job.body.id}/logs`
    github.fault({
      match: '/repos/acme/old/actions/jobs/1/logs',
      kind: 'status',
      status: 301,
      headers: { Location: github.url + path },
    })
    github.fault({ match: '/plain', kind: 'status', status: 200, body: 'first\nlast\n' })
    await using client = clientOf()
    const old = await client.download('/repos/acme/old/actions/jobs/1/logs', { tail: 100 })
    expect(old.text).toBe('renamed\n')
    expect(await client.download('/plain', { tail: 5 })).toEqual({ text: 'last\n', skipped: 6 })
  })
})

describe('hosts that logs may come from', () => {
  const rule = (named: readonly string[] = [], apiUrl = 'https://api.github.com') => {
    const permits = createStoreRule(apiUrl, named)
    return (address: string) => permits(new URL(address))
  }

  it('are GitHub’s own, by TLS, on the usual port', () => {
    const permits = rule()
    for (const address of [
      'https://productionresultssa0.blob.core.windows.net/actions-results/x?sig=y',
      'https://PIPELINES.actions.githubusercontent.com/x',
      'https://objects.githubusercontent.com/x',
      'https://codeload.github.com/x',
      'https://github.com/x',
    ]) {
      expect([address, permits(address)]).toEqual([address, true])
    }
    for (const address of [
      'http://a.blob.core.windows.net/x',
      'https://a.blob.core.windows.net:8443/x',
      'https://user:pass@a.blob.core.windows.net/x',
      'https://blob.core.windows.net/x',
      'https://evilblob.core.windows.net/x',
      'https://a.blob.core.windows.net.evil.example/x',
      'https://evilgithub.com/x',
      'https://127.0.0.1/x',
      'https://169.254.169.254/latest/meta-data',
      'https://[::1]/x',
      'https://localhost/x',
      'file:///etc/passwd',
      'ftp://github.com/x',
    ]) {
      expect([address, permits(address)]).toEqual([address, false])
    }
  })

  it('are those of the operator too', () => {
    const permits = rule(['logs.example', '*.store.example:8443'])
    expect(permits('https://logs.example/x')).toBe(true)
    expect(permits('https://a.logs.example/x')).toBe(false)
    expect(permits('https://a.b.store.example:8443/x')).toBe(true)
    expect(permits('https://store.example:8443/x')).toBe(false)
    expect(permits('https://a.store.example/x')).toBe(false)
    expect(permits('http://logs.example/x')).toBe(false)
  })

  it('are the server itself of an Enterprise Server', () => {
    const permits = rule([], 'https://git.acme.example/api/v3')
    expect(permits('https://git.acme.example/storage/x')).toBe(true)
    expect(permits('https://media.git.acme.example/x')).toBe(true)
    expect(permits('https://acme.example/x')).toBe(false)
  })

  it('may lack TLS only in tests, where the API lacks it, and only by name', () => {
    const permits = rule(['localhost:3100'], 'http://127.0.0.1:3000')
    expect(permits('http://localhost:3100/x')).toBe(true)
    expect(permits('http://localhost:3101/x')).toBe(false)
    expect(permits('http://127.0.0.1:3000/x')).toBe(false)
    expect(permits('http://a.blob.core.windows.net/x')).toBe(false)
  })
})
