/**
 * `npm run bench` runs all benches, `npm run bench -- warm cold` those whose names begin so. Prints
 * one table, keeps each bench's figures in results/, and ends with 1 when a target is missed.
 */
import { clean } from './clean.ts'
import { coldIssue, coldPages } from './cold.ts'
import { fairness } from './fairness.ts'
import { mcpCall, mcpMemory } from './mcp.ts'
import { memory } from './memory.ts'
import { mixed } from './mixed.ts'
import { overload } from './overload.ts'
import { redisFaults } from './redis-faults.ts'
import { sessionInvoke, sessionStore } from './sessions.ts'
import { stampede } from './stampede.ts'
import { startUp } from './start.ts'
import { moveTo } from './support/cores.ts'
import { type Bench, type Figure, meets } from './support/figures.ts'
import { tableOf, writeResult } from './support/report.ts'
import { tokens } from './tokens.ts'
import { warmMemory } from './warm-memory.ts'
import { warmRedis } from './warm-redis.ts'
import { zipfLoad } from './zipf.ts'

const BENCHES: readonly Bench[] = [
  warmMemory,
  warmRedis,
  coldIssue,
  coldPages,
  mixed,
  zipfLoad,
  stampede,
  startUp,
  tokens,
  memory,
  clean,
  mcpCall,
  mcpMemory,
  sessionStore,
  sessionInvoke,
  redisFaults,
  overload,
  fairness,
]

const wanted = process.argv.slice(2)
const chosen = BENCHES.filter(
  ({ name }) => wanted.length === 0 || wanted.some((start) => name.startsWith(start)),
)
if (chosen.length === 0) {
  console.error(`There is no such bench. There are ${BENCHES.map(({ name }) => name).join(', ')}.`)
  process.exit(2)
}

moveTo('load', process.pid)
// Each server that runs is to be killed should this process end early.
process.setMaxListeners(50)
const rows: [Bench, Figure][] = []
for (const bench of chosen) {
  const started = performance.now()
  const figures = await bench.run()
  await writeResult(bench, figures)
  rows.push(...figures.map((figure): [Bench, Figure] => [bench, figure]))
  console.error(`${bench.name}: ${((performance.now() - started) / 1000).toFixed(0)} s`)
}
console.log(tableOf(rows))
if (!rows.every(([, figure]) => meets(figure))) process.exitCode = 1
