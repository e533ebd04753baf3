import { expect, it } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import {
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'

const KEYS = { ann: 'ann-key-0123456789', bob: 'bob-key-0123456789' }
const POINTS = 100
const ISSUES = 300

async function startTalk(): Promise<GitHub> {
  const github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  for (let count = 0; count < ISSUES; count += 1) addIssue(github.world, 'octo/talk')
  return github
}

/** What costs one call. @returns the problem's code, or undefined for an answer */
async function ask(app: App, name: keyof typeof KEYS, number: number) {
  const answer = await app.post(
    {
      context_type: 'github_issue',
      params: { owner: 'octo', repo: 'talk', issue_number: number, max_comments: 0 },
    },
    { 'x-api-key': KEYS[name] },
  )
  return answer.status === 200 ? undefined : answer.json<Problem>().code
}

it('one caller’s flood leaves others their part of what GitHub allows the token of all', async () => {
  const github = await startTalk()
  await using app = await startApp({
    github,
    env: {
      API_KEYS: Object.entries(KEYS)
        .map(([name, key]) => `${name}:${key}`)
        .join(),
      GITHUB_TOKEN: OCTOCAT_TOKEN,
      GITHUB_POINTS_PER_MINUTE: String(POINTS),
      RATE_LIMIT_MAX: '1000000',
    },
  })
  expect(await ask(app, 'bob', 1)).toBeUndefined()
  const ann: (string | undefined)[] = []
  for (let number = 2; number < 200; number += 1) ann.push(await ask(app, 'ann', number))
  expect(ann.filter((code) => code === undefined).length).toBeGreaterThan(POINTS / 2)
  expect(ann.at(-1)).toBe('upstream_rate_limited')
  for (let number = 201; number <= 215; number += 1)
    expect(await ask(app, 'bob', number)).toBeUndefined()
  expect(await ask(app, 'ann', 200)).toBe('upstream_rate_limited')
  await github.close()
})
