/**
 * `npm run soak`: the load of chaos for ten minutes while nothing fails; `-- --seconds 180` for less, of
 * which the first quarter must be enough for processes to warm up. What
 * the replicas hold is sampled: memory, sockets, descriptors, handles. Prints how each developed, keeps it
 * in bench/results/soak.json, and ends with 1 where something grows, or an answer was not right.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { heldBy, metricIn } from '../support/processes.ts'
import { round } from '../support/statistics.ts'
import { makeCalls, warm } from './callers.ts'
import { startScene } from './chaos.ts'
import { write } from './report.ts'
import { makeEdits, type Scene } from './steps.ts'
import { type Course, courseOf } from './trend.ts'

/** Milliseconds between samples. */
const EVERY_MS = 1_000
const MIB = 1024 * 1024

/** What is looked at, and how far the last quarter may be above the second: V8 gives memory back late. */
const LIMITS = {
  'memory, MiB resident': { times: 1.15, more: 16 },
  'heap in use, lowest, MiB': { times: 1.15, more: 8 },
  sockets: { times: 1.05, more: 3 },
  descriptors: { times: 1.05, more: 3 },
  handles: { times: 1.05, more: 3 },
} as const
type Watched = keyof typeof LIMITS
type Sample = Readonly<Record<Watched, number>>

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' } } })
const seconds = Number(values.seconds)

await using scene = await startScene()
scene.tally.begin('soak', {})
await warm(scene)
const ending = new AbortController()
const load = Promise.all([makeCalls(scene, ending.signal), makeEdits(scene, ending.signal)])
const series = await Promise.race([sampleFor(scene, seconds), load.then(() => [])])
ending.abort()
await load

const rows = scene.replicas.pids.flatMap((_, index) =>
  Object.entries(LIMITS).map(([name, limit]) => {
    const points = series.map((samples) => samples[index]?.[name as Watched] ?? 0)
    return { replica: index + 1, what: name, ...courseOf(points, EVERY_MS, name, limit) }
  }),
)
print(rows)
const { failed, foreign, kinds, requests, wrong } = scene.tally
for (const [name, list] of Object.entries({ wrong, foreign, failed })) {
  console.log(`${name}: ${list.length}`)
  for (const line of list.slice(0, 20)) console.log(`  ${line}`)
}
console.log(`${requests} requests in ${seconds} s`)
const counts = { wrong: wrong.length, foreign: foreign.length, failed: failed.length }
const date = new Date().toISOString().slice(0, 10)
await write('soak', { date, node: process.version, seconds, requests, kinds, ...counts, rows })
const bad = failed.length + foreign.length + wrong.length + rows.filter(({ flat }) => !flat).length
process.exitCode = bad === 0 ? 0 : 1

async function sampleFor(of: Scene, time: number): Promise<Sample[][]> {
  const samples: Sample[][] = []
  const until = performance.now() + time * 1000
  while (performance.now() < until) {
    samples.push(await Promise.all(of.replicas.pids.map((pid, index) => sampleOf(of, pid, index))))
    await sleep(EVERY_MS)
  }
  return samples
}

async function sampleOf({ replicas }: Scene, pid: number, index: number): Promise<Sample> {
  const reply = await replicas.sendTo(index, { method: 'GET', path: '/metrics', headers: {} })
  const { descriptors, rss, sockets } = heldBy(pid)
  return {
    'memory, MiB resident': rss / MIB,
    'heap in use, lowest, MiB': metricIn(reply.text, 'nodejs_heap_size_used_bytes') / MIB,
    sockets,
    descriptors,
    handles: metricIn(reply.text, 'nodejs_active_resources_total'),
  }
}

function print(found: readonly ({ replica: number; what: string } & Course)[]): void {
  for (const { flat, last, perMinute, replica, second, what } of found) {
    const course = `${round(second, 1)} → ${round(last, 1)}, ${round(perMinute, 2)} a minute`
    console.log(
      `replica ${replica}  ${what.padEnd(26)} ${course.padEnd(34)} ${flat ? 'flat' : 'GROWS'}`,
    )
  }
}
