import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { type Bench, figure } from './support/figures.ts'
import { quantile } from './support/statistics.ts'

const SCRIPT = resolve(import.meta.dirname, 'servers/memory.ts')
const MB = 1024 * 1024

interface Filled {
  readonly cap: number
  readonly counted: number
  readonly entries: number
  readonly real: number
  readonly resident: readonly number[]
}

export const memory: Bench = {
  name: 'memory',
  title: 'The cache in the process after 1,000,000 distinct keys',
  async run() {
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', SCRIPT])
    const { cap, counted, entries, real, resident } = JSON.parse(stdout) as Filled
    const quarter = resident.length / 4
    const third = quantile(resident.slice(2 * quarter, 3 * quarter), 0.5)
    const last = quantile(resident.slice(3 * quarter), 0.5)
    return [
      figure('bytes in use ÷ cap', real / cap, 'ratio', { most: 1.1 }),
      figure('bytes counted ÷ cap', counted / cap, 'ratio', { most: 1 }),
      figure('bytes in use ÷ bytes counted', real / counted, 'ratio'),
      figure('resident, last quarter ÷ third quarter', last / third, 'ratio', { most: 1.05 }),
      figure('resident at the end', (resident.at(-1) ?? 0) / MB, 'MiB'),
      figure('entries', entries, 'entries'),
      figure('bytes in use for an entry', real / entries, 'bytes'),
    ]
  },
}
