import { expect, it } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import {
  addAccount,
  addIssue,
  addRepository,
  emptyWorld,
  type RequestRecord,
  startGitHub,
} from '../support/github/index.ts'

const TOKEN = 'ghp_octooctooctooctooctooctooctooctoocto'
const MINUTE = 60_000
const env = { GITHUB_TOKEN: TOKEN, RATE_LIMIT_MAX: '1000000' }

async function startTalk(issues: number) {
  const world = emptyWorld()
  addAccount(world, { login: 'octo', token: TOKEN })
  addRepository(world, { owner: 'octo', name: 'talk' })
  for (let count = 0; count < issues; count += 1) addIssue(world, 'octo/talk')
  return startGitHub({ world })
}

/** What costs one call. */
const issue = (issue_number: number) => ({
  context_type: 'github_issue',
  params: { owner: 'octo', repo: 'talk', issue_number, max_comments: 0 },
})

/** @returns the problem's code, or undefined for an answer */
async function ask(app: App, number: number): Promise<string | undefined> {
  const answer = await app.post(issue(number))
  return answer.status === 200 ? undefined : answer.json<Problem>().code
}

/** Asks for more at once than there are places for. @returns how many GitHub has in hand in the end */
async function crowd(api: string): Promise<number> {
  const github = await startTalk(81)
  await using app = await startApp({
    github: { url: github.url + api },
    // Who waits for a place is refused long before any of these has come to an end.
    env: { ...env, GITHUB_CONNECTIONS: '100', GITHUB_TIMEOUT_MS: '50000' },
  })
  // From then on it is known what is left.
  await ask(app, 81)
  const hang = github.fault({ kind: 'hang', match: '/*' })
  let refused = 0
  const asked = Array.from({ length: 80 }, async (_, index) => {
    await ask(app, index + 1)
    refused += 1
  })
  await expect.poll(() => refused + hang.hits, { timeout: 40_000 }).toBe(80)
  const inHand = hang.hits
  await github.close()
  await Promise.all(asked)
  return inHand
}

/** The most calls that began in one minute. */
function busiestMinute(requests: readonly RequestRecord[]): number {
  const starts = requests.map(({ startedAt }) => startedAt).sort((a, b) => a - b)
  let first = 0
  return Math.max(
    ...starts.map((at, index) => {
      while (at - (starts[first] ?? at) >= MINUTE) first += 1
      return index - first + 1
    }),
  )
}

/** Asks 700 times for one call each. */
async function flood(api: string) {
  const github = await startTalk(700)
  await using app = await startApp({ github: { url: github.url + api }, env })
  const codes: (string | undefined)[] = []
  const lane = async (start: number) => {
    for (let number = start; number <= 700; number += 10) codes.push(await ask(app, number))
  }
  await Promise.all(Array.from({ length: 10 }, (_, index) => lane(index + 1)))
  await github.close()
  return { codes, requests: github.requests }
}

it('nothing configured, fifty calls of a credential are in flight at once', async () => {
  expect(await crowd('')).toBe(50)
}, 60_000)

it('as many as there are connections for, at a GitHub Enterprise Server', async () => {
  expect(await crowd('/api/v3')).toBe(80)
}, 60_000)

it('nothing configured, six hundred calls go out in a minute, and what is beyond is refused', async () => {
  const { codes, requests } = await flood('')
  expect(busiestMinute(requests)).toBeLessThanOrEqual(600)
  expect(requests.length).toBeGreaterThan(590)
  expect(new Set(codes)).toEqual(new Set([undefined, 'upstream_rate_limited']))
}, 120_000)

it('all that is asked for, at a GitHub Enterprise Server', async () => {
  const { codes, requests } = await flood('/api/v3')
  expect(requests).toHaveLength(700)
  expect(new Set(codes)).toEqual(new Set(['not_found']))
}, 120_000)
