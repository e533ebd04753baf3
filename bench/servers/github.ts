/**
 * GitHub for the benches: the simulator with `ISSUES` issues of `COMMENTS` comments each in
 * `bench/bench`, every answer after `LATENCY` milliseconds.
 */
import { startGitHub } from '../../test/support/github/index.ts'
import { addBenchIssue, benchWorld } from '../support/world.ts'

const { PORT, ISSUES = '1', COMMENTS = '0', LATENCY = '0' } = process.env

const world = benchWorld()
for (let number = 1; number <= Number(ISSUES); number += 1) {
  addBenchIssue(world, number, Number(COMMENTS))
}
await startGitHub({ world, port: Number(PORT), latencyMs: Number(LATENCY), control: true })
