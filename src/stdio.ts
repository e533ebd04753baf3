import { enableCompileCache } from 'node:module'
import closeWithGrace from 'close-with-grace'
import { readConfig } from './config.ts'
import { createDeps } from './deps.ts'
import { checkCredential } from './github/preflight.ts'
import { createLogger } from './logger.ts'
import { serveLines } from './mcp/lines.ts'
import { explainStart } from './startFault.ts'

enableCompileCache()

/**
 * The Model Context Protocol on stdin and stdout, for clients that start their servers themselves.
 * Nothing but the protocol is written to stdout; logs go to stderr.
 */
try {
  // Nobody but who started the process can call it.
  const config = readConfig({ ...process.env, AUTH: 'none' })
  const logger = createLogger(config.LOG_LEVEL, 2)
  const deps = await createDeps(config, logger)
  const ending = new AbortController()
  const closing = closeWithGrace({ delay: 10_000, logger }, async ({ err }) => {
    if (err) logger.fatal({ err }, 'closing after an unexpected error')
    ending.abort()
    await deps.close()
    logger.flush()
  })
  // Clients wait for the first answer: a refused credential is told with the first tool that needs it.
  checkCredential(deps.askGitHub, logger).catch((error: unknown) => {
    if (!ending.signal.aborted) logger.error(explainStart(error))
  })
  await serveLines({
    server: deps.mcpByLines(ending.signal),
    input: process.stdin,
    output: process.stdout,
    caller: () => ({
      callerToken: undefined,
      meter: { calls: 0 },
      may: () => true,
      served: () => {},
    }),
    ended: () => ending.abort(),
  })
  closing.close()
} catch (error) {
  process.stderr.write(`${explainStart(error)}\n`)
  process.exitCode = 1
}
