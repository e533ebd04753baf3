import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const SCRIPT = fileURLToPath(new URL('../support/memoryInUse.ts', import.meta.url))

const KINDS = ['answers', 'refusals', 'resources'].flatMap((kind) =>
  ['once', 'again'].map((times) => [kind, times] as const),
)

it.each(KINDS)(
  'what is counted for %s that came %s is what they take, within a tenth',
  async (kind, times) => {
    const { counted, taken } = await fill(kind, times)
    expect(taken / counted).toBeGreaterThan(0.9)
    expect(taken / counted).toBeLessThan(1.1)
  },
)

it.each(['answers', 'resources'])('no object is kept of %s that came once', async (kind) => {
  const [once, again] = [await fill(kind, 'once'), await fill(kind, 'again')]
  expect(once.objects).toBeLessThan(40)
  expect(again.objects - once.objects).toBeGreaterThan(400)
})

interface Filled {
  readonly counted: number
  readonly taken: number
  /** Bytes for each. */
  readonly objects: number
}

async function fill(...args: string[]): Promise<Filled> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', SCRIPT, ...args])
  return JSON.parse(stdout) as Filled
}
