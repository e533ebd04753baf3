/**
 * GitHub for the benches: the simulator with `ISSUES` issues of `COMMENTS` comments each in
 * `bench/bench`, every answer after `LATENCY` milliseconds.
 */
import {
  addAccount,
  addComments,
  addIssue,
  addRepository,
  recordedWorld,
  startGitHub,
} from '../../test/support/github/index.ts'
import { TOKEN } from '../support/service.ts'

const { PORT, ISSUES = '1', COMMENTS = '0', LATENCY = '0' } = process.env
const WORDS = 'when the server restarts while a request waits, the login page shows an error again'

const world = recordedWorld()
for (const limits of [world.limits, world.anonymousLimits]) limits.core = 1_000_000_000
addAccount(world, { login: 'bench', token: TOKEN })
addRepository(world, { owner: 'bench', name: 'bench' })
for (let number = 1; number <= Number(ISSUES); number += 1) {
  const body = `In version ${number}.0 ${WORDS}.\n\n${`- ${WORDS}\n`.repeat(4)}`
  const issue = addIssue(world, 'bench/bench', { number, title: `Login fails (${number})`, body })
  addComments(world, issue, Number(COMMENTS), (i) => ({
    body: `Seen ${i + 1} times: ${WORDS}, and ${WORDS}. Going back to ${number}.${i} helps.`,
  }))
}
await startGitHub({ world, port: Number(PORT), latencyMs: Number(LATENCY), control: true })
