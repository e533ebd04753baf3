import { configDefaults, defineConfig } from 'vitest/config'

/** Tests of several processes at once, of times, or of one long computation: they want the machine for themselves. */
const FLEETS = [
  'test/chaos.test.ts',
  'test/context/eventLoop.test.ts',
  'test/fleet/**/*.test.ts',
  'test/http/fairness.test.ts',
  'test/http/webhooksFleet.test.ts',
  'test/isolation/**/*.test.ts',
  'test/github/budgetFleet.test.ts',
  'test/process.test.ts',
  'test/workers.test.ts',
]
/** Tests that mostly wait for processes to start. */
const PROCESSES = [
  'test/mcp/clients.test.ts',
  'test/mcp/conformance.test.ts',
  'test/mcp/stdio.test.ts',
  'test/providers.test.ts',
  'test/tracing/process.test.ts',
  'test/walkthrough.test.ts',
  'test/docker.test.ts',
]
const BROWSER = 'test/browser/**'

/** Processes, because tests send signals and count open handles; two, because CI has two cores. */
const common = { pool: 'forks', hookTimeout: 60_000, restoreMocks: true, unstubEnvs: true } as const

export default defineConfig({
  test: {
    globalSetup: ['test/support/globalSetup.ts'],
    reporters: ['default', './test/support/summary.ts'],
    projects: [
      {
        extends: true,
        test: {
          ...common,
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, BROWSER, ...PROCESSES, ...FLEETS],
          maxWorkers: 2,
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          ...common,
          name: 'processes',
          include: PROCESSES,
          maxWorkers: 2,
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...common,
          name: 'fleets',
          include: FLEETS,
          maxWorkers: 1,
          testTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**'],
      reporter: ['text', 'html'],
      thresholds: { lines: 85, statements: 85, functions: 85, branches: 85 },
    },
  },
})
