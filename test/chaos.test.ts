import { expect, it } from 'vitest'
import { runChaos } from '../bench/chaos/chaos.ts'
import { STEPS } from '../bench/chaos/steps.ts'

/** `npm run chaos` plays all of them, and longer. */
const PLAYED = [
  'a replica is killed (SIGKILL)',
  'Redis is stopped and started',
  'GitHub answers 500',
  'a user’s access is taken away, as a webhook tells',
]

it('whatever fails, no answer is wrong or another’s, and no request fails that need not', async () => {
  const steps = STEPS.filter(({ name }) => PLAYED.includes(name))
  expect(steps).toHaveLength(PLAYED.length)
  const { leaks, tally } = await runChaos(steps, 1_000, () => {})
  const { failed, foreign, wrong } = tally
  expect({ failed, foreign, wrong, leaks: leaks.found }).toEqual({
    failed: [],
    foreign: [],
    wrong: [],
    leaks: [],
  })
  // Each fault was felt.
  const seen = (step: string) => JSON.stringify(tally.seen.get(step))
  expect(seen('Redis is stopped and started')).toContain('503 overloaded')
  expect(seen('GitHub answers 500')).toMatch(/502 upstream_error.*|ok, stale/)
  expect(seen('a user’s access is taken away, as a webhook tells')).toContain('404 not_found')
  for (const kind of ['one', 'batch', 'mcp', 'stream', 'session', 'prying'])
    expect([kind, (tally.kinds[kind] ?? 0) > 5]).toEqual([kind, true])
}, 240_000)
