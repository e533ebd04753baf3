/**
 * The service and its callers in one process: 100,000 tools/call of both eras over real connections,
 * with a look at what is in use now and then. Prints it as JSON. To be run with `--expose-gc`, as
 * what is not yet collected is not in use.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { startService } from '../../src/service.ts'
import { saturate } from '../support/load.ts'
import { callRequest, ERAS } from '../support/mcp.ts'

const CALLS = 100_000
const SAMPLE_EVERY = 5_000
const ISSUES = 20

/** Buffers are given back some time after the collection that finds them unused. */
async function inUse(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.()
    await sleep(50)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const config = readConfig({ ...process.env, PORT: '0', LOG_LEVEL: 'fatal' })
const service = await startService(config, createLogger(config.LOG_LEVEL))
const requests = ERAS.flatMap((era) =>
  Array.from({ length: ISSUES }, (_, index) => callRequest({ era, issue: index + 1 })),
)
const used: number[] = []
const resident: number[] = []
for (let done = 0; done < CALLS; done += SAMPLE_EVERY) {
  const { failed } = await saturate({
    urls: [service.url],
    connections: 48,
    request: (index) => requests[index % requests.length] as Buffer,
    count: SAMPLE_EVERY,
  })
  if (failed > 0) throw new Error(`${failed} calls failed`)
  used.push(await inUse())
  resident.push(process.memoryUsage.rss())
}
process.stdout.write(`${JSON.stringify({ resident, used })}\n`)
process.exit()
