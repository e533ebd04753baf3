import { availableParallelism } from 'node:os'

/**
 * Node's flags for a process that has one core at most (`node --v8-options`). V8 collects garbage in four
 * threads beside a process's own, which on the same core take its time: others' p99 beside a flood was
 * twice as long. Without them it marks the heap in steps of the process's own time, and begins as soon as
 * there is less room than a young generation may take, 64 MiB: where 40 MB live that is always so, and a
 * request of megabytes waits for as many steps as it takes itself, one in three. Here it begins when most
 * of the room that was left after the last time is taken, in per cent. Nor does the young generation
 * become small, in MiB, while there is nothing to do: what comes next would be old before it is answered.
 */
export const ONE_CORE: readonly string[] = [
  '--single-threaded-gc',
  '--incremental-marking-soft-trigger=70',
  '--incremental-marking-hard-trigger=90',
  '--min-semi-space-size=16',
]

/** What so many processes are started with. */
export function flagsFor(processes: number, cores = availableParallelism()): readonly string[] {
  return processes >= cores ? ONE_CORE : []
}
