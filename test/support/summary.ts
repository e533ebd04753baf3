import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** Ends the run with one plain line, `N passed, N failed, N skipped`, below the coverage table. */
export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]) {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      let tests = 0
      for (const test of module.children.allTests()) {
        counts[test.result().state] += 1
        tests += 1
      }
      // A file that cannot be loaded has no tests, and has failed all the same.
      if (tests === 0 && module.state() === 'failed') counts.failed += 1
    }
    const { passed, skipped } = counts
    // What has not come to its end, because its process died, has failed too; so has what no test caught.
    const failed = counts.failed + counts.pending + errors.length
    const line = `\n${passed} passed, ${failed} failed, ${skipped} skipped\n`
    process.once('exit', () => process.stdout.write(line))
  }
}
