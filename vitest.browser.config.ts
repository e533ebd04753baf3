import { defineConfig } from 'vitest/config'

/** Pages in a real Chromium, against the real process: a run of its own, as it needs a browser. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/support/summary.ts'],
  },
})
