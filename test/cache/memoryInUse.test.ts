import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const SCRIPT = fileURLToPath(new URL('../support/memoryInUse.ts', import.meta.url))

it.each(['answers', 'refusals', 'resources'])(
  'what is counted for %s is what they take, within a tenth',
  async (kind) => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', SCRIPT, kind])
    const { counted, taken } = JSON.parse(stdout) as { counted: number; taken: number }
    expect(taken / counted).toBeGreaterThan(0.9)
    expect(taken / counted).toBeLessThan(1.1)
  },
)
