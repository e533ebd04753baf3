import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'
import { createFixture } from '../support/mcp/fixture.ts'
import { createQuestions } from '../support/mcp/fixtureAsk.ts'

const SUITE = resolve('node_modules/@modelcontextprotocol/conformance/dist/index.js')
const REVISIONS = ['2026-07-28', '2025-11-25'] as const

interface Run {
  readonly code: number
  readonly output: string
  /** Scenarios without a failed check. */
  readonly passed: readonly string[]
  /** What decides conformance: scenarios that the revision requires. */
  readonly failed: readonly string[]
}

let folder: string
let github: GitHub
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conformance-'))
  github = await startGitHub()
})
afterAll(async () => {
  await github.close()
  await rm(folder, { recursive: true, force: true })
})

/** The official suite, as its README says to run it. */
async function run(app: App, ...args: string[]): Promise<Run> {
  const command = [SUITE, 'server', '--url', `${app.url}/mcp`, ...args]
  const options = { cwd: folder, env: { PATH: process.env.PATH }, maxBuffer: 64 * 1024 * 1024 }
  const { code, stdout } = await promisify(execFile)(process.execPath, command, options).then(
    (done) => ({ code: 0, stdout: done.stdout }),
    (error: { code: number; stdout: string }) => error,
  )
  const summary = stdout.slice(stdout.indexOf('=== SUMMARY'))
  const unscored = new Set([...summary.matchAll(/^ {2}[✓✗] (\S+) \(/gm)].map(([, name]) => name))
  const named = (sign: string) =>
    [...summary.matchAll(new RegExp(`^${sign} (\\S+): `, 'gm'))].map(([, name]) => name as string)
  return {
    code,
    output: stdout,
    passed: named('✓'),
    failed: named('✗').filter((name) => !unscored.has(name)),
  }
}

const env = { RATE_LIMIT_MAX: '1000000', GITHUB_TOKEN: OCTOCAT_TOKEN }
const start = (replace = {}) => startApp({ github, env, replace })

describe.each(REVISIONS)('the official suite for %s', (revision) => {
  it('has no failed scored scenario with its fixture mounted on the service', async () => {
    const server = createFixture(createQuestions())
    await using app = await start({
      mcp: { server, hosts: { loopback: true, hosts: [], origins: [] } },
    })
    const { code, failed, passed } = await run(app, '--requirements', revision)
    expect(failed).toEqual([])
    expect(code).toBe(0)
    expect(passed.length).toBeGreaterThan(30)
  })
})

/** What the suite can ask of a server that it does not know: no tool, resource or prompt of a fixed name. */
const WITHOUT_FIXTURE = {
  '2026-07-28': [
    'caching',
    'dns-rebinding-protection',
    'http-header-validation',
    'input-required-result-unsupported-methods',
    'prompts-list',
    'resources-list',
    'sep-2164-resource-not-found',
    'server-sse-multiple-streams',
    'tools-list',
  ],
  '2025-11-25': [
    'dns-rebinding-protection',
    'ping',
    'prompts-list',
    'resources-list',
    'server-initialize',
    'server-session-lifecycle',
    'server-sse-multiple-streams',
    'tools-list',
  ],
}

describe.each(REVISIONS)('the real server for %s', (revision) => {
  it('passes every scenario that needs no fixture', async () => {
    await using app = await start()
    const { passed } = await run(app, '--requirements', revision)
    expect(passed).toEqual(expect.arrayContaining(WITHOUT_FIXTURE[revision]))
  })
})

/** Checks that call a tool of the fixture's. */
const CALLS_FIXTURE = [
  'sep-2575-server-rejects-undeclared-capability',
  'sep-2575-missing-capability-http-400',
  'sep-2575-http-server-no-independent-requests-on-stream',
  'sep-2575-server-no-log-without-loglevel',
]

it('the real server passes all checks of statelessness but those that call the fixture', async () => {
  await using app = await start()
  const scenario = ['--scenario', 'server-stateless', '--spec-version', '2026-07-28']
  const { output } = await run(app, ...scenario, '--verbose')
  const checks = JSON.parse(
    output.slice(output.indexOf('[\n'), output.lastIndexOf('\n]') + 2),
  ) as readonly { readonly id: string; readonly status: string }[]
  const failed = checks.filter(({ status }) => status === 'FAILURE').map(({ id }) => id)
  expect(failed.toSorted()).toEqual(CALLS_FIXTURE.toSorted())
  expect(checks.length).toBeGreaterThan(25)
})
