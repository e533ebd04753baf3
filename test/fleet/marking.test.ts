import { expect, it } from 'vitest'
import { ONE_CORE } from '../../src/cluster/flags.ts'
import { createClient } from '../support/app.ts'
import {
  addAccount,
  addComments,
  addIssue,
  addRepository,
  recordedWorld,
  startGitHub,
} from '../support/github/index.ts'
import { startProcess } from '../support/process.ts'

/** The first ones are part of the start. */
const ISSUES = 60
const FIRST = 20
const COMMENTS = 1_000
const TOKEN = 'ghp_marking00000000000000000000000000000'

it('megabytes that are read do not make V8 mark the heap once in a few answers', async () => {
  const world = recordedWorld()
  addAccount(world, { login: 'ann', token: TOKEN })
  addRepository(world, { owner: 'ann', name: 'long' })
  for (let number = 1; number <= ISSUES; number += 1) {
    const issue = addIssue(world, 'ann/long', { number, title: `Long (${number})` })
    addComments(world, issue, COMMENTS, (at) => ({
      body: `Seen ${at} times in ${number}. `.repeat(8),
    }))
  }
  await using github = await startGitHub({ world, latencyMs: 50 })
  await using service = startProcess({
    env: { PORT: '0', GITHUB_API_URL: github.url, GITHUB_TOKEN: TOKEN, GITHUB_BUDGET: 'off' },
    flags: [...ONE_CORE, '--trace-incremental-marking'],
  })
  const client = createClient(await service.url)
  const starts = () => service.stdout.split('] Start (').length - 1
  let before = 0
  for (let number = 1; number <= ISSUES; number += 1) {
    if (number === FIRST) before = starts()
    const params = { owner: 'ann', repo: 'long', issue_number: number, max_comments: COMMENTS }
    const { context } = await client.context({ context_type: 'github_issue', params })
    expect(context[0]?.comments).toHaveLength(COMMENTS)
  }
  expect(starts() - before).toBeLessThanOrEqual(3)
  await client.close()
})
