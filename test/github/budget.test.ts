import { describe, expect, inject, it } from 'vitest'
import { createRateGate } from '../../src/github/budget/gate.ts'
import { isLimited } from '../../src/github/budget/limits.ts'
import { createLocalLedger } from '../../src/github/budget/local.ts'
import { createSharedLedger } from '../../src/github/budget/shared.ts'
import { budgetSuite, type GateSettings } from '../suites/budget.ts'
import { connectPatiently } from '../support/budgetRedis.ts'

const limitsOf = ({ limits = {} }: GateSettings) => ({
  maxConcurrent: 50,
  pointsPerMinute: 600,
  ...limits,
})

budgetSuite('of one process', async (settings) => {
  const { now } = settings
  const ledger = createLocalLedger({ now, limits: limitsOf(settings) })
  const gate = createRateGate({ ledger, now, enforced: true })
  return { gate, settle: async () => {}, close: () => gate.close() }
})

budgetSuite('of replicas', async (settings) => {
  const { now } = settings
  const { redis, bus, settle, close } = await connectPatiently(inject('redisUrl'))
  const ledger = createSharedLedger({ redis, bus, now, limits: limitsOf(settings) })
  const gate = createRateGate({ ledger, now, enforced: true })
  return {
    gate,
    settle,
    close() {
      gate.close()
      close()
    },
  }
})

describe('a GitHub without limits', () => {
  it.each([
    ['https://api.github.com', undefined, true],
    ['https://api.octocorp.ghe.com', undefined, true],
    ['https://github.example.com/api/v3', undefined, false],
    ['https://github.example.com/api/v3/', undefined, false],
    ['https://github.example.com/api/v3', 'on', true],
    ['https://api.github.com', 'off', false],
  ] as const)('is told by its address: %s %s', (url, setting, expected) => {
    expect(isLimited(url, setting)).toBe(expected)
  })

  it('keeps nothing back but what GitHub refuses all the same', () => {
    let at = 1_000_000
    const now = () => at
    const ledger = createLocalLedger({ now, limits: { maxConcurrent: 1, pointsPerMinute: 1 } })
    const gate = createRateGate({ ledger, now, enforced: false })
    const { signal } = new AbortController()
    const enter = () => gate.enter('principal', 'core', 'background', signal)
    const passes = Array.from({ length: 1_000 }, enter)
    for (const pass of passes) {
      if (pass instanceof Promise) throw new Error('had to wait')
      pass.leave({ free: false })
    }
    const last = enter()
    if (last instanceof Promise) throw new Error('had to wait')
    last.leave({ free: false, limited: { kind: 'secondary', retryAfter: 7 } })
    expect(enter).toThrow(/Retry after 7 s/)
    at += 7_000
    expect(enter).not.toThrow()
    gate.close()
  })
})
