import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** Where a process runs: the server that is measured has a core of its own. */
export type Core = 'server' | 'load' | 'any'

const CORES = availableParallelism()
export const CAN_PIN = CORES > 1 && spawnSync('taskset', ['--version']).error === undefined

const SETS: Readonly<Record<Core, string>> = {
  server: '0',
  load: `1-${CORES - 1}`,
  any: `0-${CORES - 1}`,
}

/** The command line that runs `command` on those cores; unchanged where there is no `taskset`. */
export function onCore(core: Core, command: readonly string[]): readonly string[] {
  return CAN_PIN ? ['taskset', '-c', SETS[core], ...command] : command
}

/** Moves a running process with all of its threads. */
export function moveTo(core: Core, pid: number): void {
  if (CAN_PIN) spawnSync('taskset', ['-a', '-c', '-p', SETS[core], String(pid)])
}

export const pinning = CAN_PIN ? 'server on one core, load on the others' : 'none'
