/**
 * The simulator as a process: `node test/support/github/main.ts [--port 0] [--latency 0] [--core 5000]`.
 * Prints one line with its url. `--core` is the hourly limit of everybody, anonymous callers included.
 * Remote control is described in control.ts. SIGTERM and SIGINT close it.
 */
import { parseArgs } from 'node:util'
import { recordedWorld, startGitHub } from './index.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    latency: { type: 'string', default: '0' },
    core: { type: 'string' },
  },
})

const world = recordedWorld()
if (values.core !== undefined) {
  world.limits.core = Number(values.core)
  world.anonymousLimits.core = Number(values.core)
}
const github = await startGitHub({
  world,
  port: Number(values.port),
  latencyMs: Number(values.latency),
  control: true,
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void github.close())
}
console.log(github.url)
