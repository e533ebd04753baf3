import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { compareCapacity } from './support/capacity.ts'
import { type Bench, figure } from './support/figures.ts'
import { type Call, callRequest, callTool, ERAS } from './support/mcp.ts'
import { start } from './support/servers.ts'
import { environment, startService, startSimulator } from './support/service.ts'
import { quantile } from './support/statistics.ts'

const MEMORY = resolve(import.meta.dirname, 'servers/mcpMemory.ts')
const MB = 1024 * 1024

export const mcpCall: Bench = {
  name: 'mcp-call',
  title: 'tools/call of a context in memory, against a bare route that sends the same bytes',
  async run() {
    await using github = await startSimulator({ comments: 3 })
    await using plain = await start({ file: 'bench/servers/plain.ts', env: environment(github) })
    await using service = await startService(github)
    const figures = []
    for (const era of ERAS) {
      const call: Call = { era, issue: 1 }
      const { body } = await callTool(service.url, call)
      await callTool(plain.url, call)
      const env = { BODY: body.toString() }
      await using bare = await start({ file: 'bench/servers/bareMcp.ts', env })
      const warm = callRequest(call)
      const request = () => warm
      const [off, full, base] = await compareCapacity({ name: 'bare', server: bare, request }, [
        { name: 'features off', server: plain, request },
        { name: 'default', server: service, request },
      ])
      figures.push(
        figure(`${era}: features off ÷ bare`, off.ratio, 'ratio', { least: 0.3 }),
        figure(`${era}: default ÷ bare`, full.ratio, 'ratio', { least: 0.3 }),
        figure(`${era}: features off ÷ bare, by the clock`, off.wallRatio, 'ratio'),
        figure(`${era}: default ÷ bare, by the clock`, full.wallRatio, 'ratio'),
        figure(`${era}: CPU of bare`, base.cpu, 'µs'),
        figure(`${era}: CPU of features off`, off.cpu, 'µs'),
        figure(`${era}: CPU of default`, full.cpu, 'µs'),
        figure(`${era}: body`, body.length, 'bytes'),
      )
    }
    return figures
  },
}

interface Seen {
  readonly used: readonly number[]
  readonly resident: readonly number[]
}

export const mcpMemory: Bench = {
  name: 'mcp-memory',
  title: 'Memory over 100,000 tools/call of both eras',
  async run() {
    await using github = await startSimulator({ issues: 20, comments: 3 })
    const env = { NODE_ENV: 'production', PATH: process.env.PATH, ...environment(github) }
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', MEMORY], { env })
    const { resident, used } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Seen
    const quarter = used.length / 4
    const second = quantile(used.slice(quarter, 2 * quarter), 0.5)
    const last = quantile(used.slice(3 * quarter), 0.5)
    return [
      figure('in use, last quarter ÷ second quarter', last / second, 'ratio', { most: 1.05 }),
      figure('in use at the end', (used.at(-1) ?? 0) / MB, 'MiB'),
      figure('resident at the end', (resident.at(-1) ?? 0) / MB, 'MiB'),
    ]
  },
}
