import { availableParallelism } from 'node:os'

/**
 * Node's flags for a process that has one core at most. V8 collects garbage in four threads beside a
 * process's own, which on the same core take its time: others' p99 beside a flood was twice as long
 * (`node --v8-options`).
 */
export const ONE_CORE: readonly string[] = ['--single-threaded-gc']

/** What so many processes are started with. */
export function flagsFor(processes: number, cores = availableParallelism()): readonly string[] {
  return processes >= cores ? ONE_CORE : []
}
