import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { round } from '../support/statistics.ts'
import type { ChaosReport } from './chaos.ts'
import type { Need, Seen } from './tally.ts'

const RESULTS = resolve(import.meta.dirname, '../results')
const MIB = 1024 * 1024
const NEEDS: readonly Need[] = ['kept', 'github', 'session']

/** What becomes of the callers while one part fails. */
export interface Row {
  readonly fault: string
  readonly expectation: string
  readonly kept: Seen
  readonly github: Seen
  readonly session: Seen
  /** Seconds. */
  readonly recovery: number | null
}

export interface ChaosResult {
  readonly date: string
  readonly requests: number
  readonly rows: readonly Row[]
  readonly [more: string]: unknown
}

export function isClean({ tally, leaks }: ChaosReport): boolean {
  const { failed, foreign, wrong } = tally
  return failed.length + foreign.length + wrong.length + leaks.found.length === 0
}

export function resultOf({ leaks, recoveries, seconds, tally }: ChaosReport): ChaosResult {
  const none = { kept: {}, github: {}, session: {} }
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cpus: availableParallelism(),
    seconds: round(seconds, 0),
    requests: tally.requests,
    kinds: tally.kinds,
    wrong: tally.wrong.length,
    foreign: tally.foreign.length,
    failed: tally.failed.length,
    excused: tally.excused,
    leaks: leaks.found,
    restingBefore: leaks.before.map(inMib),
    restingAfter: leaks.after.map(inMib),
    rows: recoveries.map(({ step, seconds: recovery }) => ({
      fault: step.name,
      expectation: step.expectation,
      ...(tally.seen.get(step.name) ?? none),
      recovery: recovery === undefined ? null : round(recovery, 1),
    })),
  }
}

const inMib = ({ rss, ...held }: { rss: number; descriptors: number; sockets: number }) => ({
  rss_mib: Math.round(rss / MIB),
  ...held,
})

export function print(report: ChaosReport): void {
  const { leaks, tally } = report
  const { rows } = resultOf(report)
  for (const row of rows) {
    console.log(`\n${row.fault} (well again after ${row.recovery ?? '?'} s)`)
    for (const need of NEEDS) console.log(`  ${need.padEnd(8)} ${seenText(row[need])}`)
  }
  console.log(`\nkinds: ${seenText(tally.kinds)}`)
  console.log(`resting before: ${JSON.stringify(leaks.before.map(inMib))}`)
  console.log(`resting after:  ${JSON.stringify(leaks.after.map(inMib))}`)
  const { wrong, foreign, failed, excused, requests } = tally
  for (const [name, list] of Object.entries({ wrong, foreign, failed, leaks: leaks.found })) {
    console.log(`${name}: ${list.length}`)
    for (const line of list.slice(0, 20)) console.log(`  ${line}`)
  }
  console.log(`${requests} requests, ${excused} failures excused by what had failed`)
}

/** The most frequent first. */
function seenText(seen: Seen): string {
  const sorted = Object.entries(seen).toSorted(([, one], [, other]) => other - one)
  return sorted.map(([outcome, count]) => `${outcome} ${count}`).join(', ') || '–'
}

/** Keeps a result beside those of the benches. */
export async function write(name: string, result: object): Promise<void> {
  await writeFile(resolve(RESULTS, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`)
}
