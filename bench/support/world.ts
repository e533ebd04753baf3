import {
  addAccount,
  addComments,
  addIssue,
  addRepository,
  recordedWorld,
} from '../../test/support/github/index.ts'
import { TOKEN } from './service.ts'

const WORDS = 'when the server restarts while a request waits, the login page shows an error again'

/** What GitHub has for the benches: the repository `bench/bench`, and no limit that a load reaches. */
export function benchWorld(): ReturnType<typeof recordedWorld> {
  const world = recordedWorld()
  for (const limits of [world.limits, world.anonymousLimits]) limits.core = 1_000_000_000
  addAccount(world, { login: 'bench', token: TOKEN })
  addRepository(world, { owner: 'bench', name: 'bench' })
  return world
}

/** Issues and comments say their numbers, and are else alike. */
export function addBenchIssue(
  world: ReturnType<typeof recordedWorld>,
  number: number,
  comments: number,
): void {
  const body = `In version ${number}.0 ${WORDS}.\n\n${`- ${WORDS}\n`.repeat(4)}`
  const issue = addIssue(world, 'bench/bench', { number, title: `Login fails (${number})`, body })
  addComments(world, issue, comments, (i) => ({
    body: `Seen ${i + 1} times: ${WORDS}, and ${WORDS}. Going back to ${number}.${i} helps.`,
  }))
}
