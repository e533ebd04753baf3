import fc from 'fast-check'
import { expect, it } from 'vitest'
import { play } from './model.ts'
import { history, setting } from './steps.ts'

const SEED = Number(process.env.PROPERTY_SEED ?? 20_260_131)
const RUNS = 520
const STEPS = 100_000

it('no history of requests, changes and failures makes the service serve what it must not', async () => {
  let taken = 0
  await fc.assert(
    fc.asyncProperty(setting, history, async (given, steps) => {
      taken += steps.length
      await play(given, steps)
    }),
    // On failure fast-check prints the seed and the shortest history that it found.
    { seed: SEED, numRuns: RUNS },
  )
  expect(taken).toBeGreaterThanOrEqual(STEPS)
}, 120_000)
