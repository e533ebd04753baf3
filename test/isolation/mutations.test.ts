import fc from 'fast-check'
import { expect, it } from 'vitest'
import { play } from './model.ts'
import { mutations } from './mutations.ts'
import { history, setting } from './steps.ts'

const SEED = 20_260_131
const MOST_RUNS = 300

it.each(Object.entries(mutations))(
  'the loss of %s is noticed',
  async (_name, mutation) => {
    if (mutation.steps) {
      const { webhooks = false } = mutation
      const given = { webhooks, tags: 'recipe', sharedResources: false } as const
      await play(given, mutation.steps)
      await expect(play(given, mutation.steps, mutation)).rejects.toThrow(mutation.fault)
      return
    }
    const { errorInstance } = await fc.check(
      fc.asyncProperty(setting, history, async (given, steps) => {
        try {
          await play(given, steps, mutation)
        } catch (error) {
          // Other faults may come earlier: each loss must show in its own.
          if (mutation.fault.test(String(error))) throw error
        }
      }),
      { seed: SEED, numRuns: MOST_RUNS, endOnFailure: true },
    )
    expect(String(errorInstance)).toMatch(mutation.fault)
  },
  60_000,
)
