import fc from 'fast-check'
import { expect, it } from 'vitest'
import { play } from './model.ts'
import { history, setting } from './steps.ts'

const SEED = Number(process.env.PROPERTY_SEED ?? 20_260_131)
const RUNS = 600
const STEPS = 100_000
const OUTCOMES = [
  'hit',
  'hit_shared',
  'stale',
  'miss',
  'collapsed',
  'revalidated',
  'requested',
  'stale_if_error',
] as const

it('no history of requests, changes and failures makes the service serve what it must not', async () => {
  let taken = 0
  const seen = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(setting, history, async (given, steps) => {
      taken += steps.length
      for (const [outcome, count] of await play(given, steps))
        seen.set(outcome, (seen.get(outcome) ?? 0) + count)
    }),
    // On failure fast-check prints the seed and the shortest history that it found.
    { seed: SEED, numRuns: RUNS },
  )
  expect(taken).toBeGreaterThanOrEqual(STEPS)
  // Fresh or stale for longer because webhooks are heard.
  expect(seen.get('told')).toBeGreaterThan(20)
  for (const outcome of OUTCOMES) expect([outcome, seen.get(outcome)]).toEqual([outcome, MANY])
}, 600_000)

/** No way to an answer goes untested. */
const MANY = expect.toSatisfy((count: number) => count > 100)
