import { ask } from './support/ask.ts'
import { compareCapacity } from './support/capacity.ts'
import { type Bench, figure } from './support/figures.ts'
import { saturate } from './support/load.ts'
import { type Call, callRequest, callTool, ERAS } from './support/mcp.ts'
import { type Server, start } from './support/servers.ts'
import { environment, startService, startSimulator } from './support/service.ts'
import { median } from './support/statistics.ts'

/** Calls of the memory bench, and how many lie between two looks at it. */
const CALLS = 100_000
const SAMPLE_EVERY = 5_000
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

export const mcpMemory: Bench = {
  name: 'mcp-memory',
  title: 'The process after 100,000 tools/call of both eras',
  async run() {
    await using github = await startSimulator({ issues: 20, comments: 3 })
    await using service = await startService(github)
    const resident = await residentWhile(service)
    const quarter = resident.length / 4
    const second = median(resident.slice(quarter, 2 * quarter))
    const last = median(resident.slice(3 * quarter))
    return [
      figure('resident, last quarter ÷ second quarter', last / second, 'ratio', { most: 1.05 }),
      figure('resident at the end', (resident.at(-1) ?? 0) / MB, 'MiB'),
      figure('calls', CALLS, 'calls'),
    ]
  },
}

/** Bytes resident, looked at again and again while the calls are made. */
async function residentWhile(service: Server): Promise<number[]> {
  const requests = ERAS.flatMap((era) =>
    Array.from({ length: 20 }, (_, index) => callRequest({ era, issue: index + 1 })),
  )
  const resident: number[] = []
  for (let done = 0; done < CALLS; done += SAMPLE_EVERY) {
    const { failed } = await saturate({
      urls: [service.url],
      connections: 48,
      request: (index) => requests[index % requests.length] as Buffer,
      count: SAMPLE_EVERY,
    })
    if (failed > 0) throw new Error(`${failed} calls failed`)
    resident.push(await residentOf(service))
  }
  return resident
}

/** What the process says of itself. */
async function residentOf(service: Server): Promise<number> {
  const { body } = await ask(service.url, 'GET', '/metrics')
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(body.toString())?.[1])
}
