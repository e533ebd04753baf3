import { enableCompileCache } from 'node:module'
import closeWithGrace from 'close-with-grace'
import { readConfig } from './config.ts'
import { ServiceError } from './core/errors.ts'
import { ConfigError } from './environment.ts'
import { createLogger } from './logger.ts'
import { startService } from './service.ts'

enableCompileCache()

try {
  const config = readConfig(process.env)
  const logger = createLogger(config.LOG_LEVEL)
  const service = await startService(config, logger)
  closeWithGrace({ delay: 10_000, logger }, async ({ err, signal }) => {
    if (err) logger.fatal({ err }, 'closing after an unexpected error')
    else logger.info(`closing on ${signal}`)
    await service.close()
    logger.flush()
  })
} catch (error) {
  process.stderr.write(`${explain(error)}\n`)
  process.exitCode = 1
}

/** One line for each fault that an operator can mend; a stack only for what nobody foresaw. */
function explain(error: unknown): string {
  if (error instanceof ConfigError)
    return error.faults.map((fault) => `Configuration: ${fault}`).join('\n')
  if (error instanceof ServiceError) return `Cannot start: ${error.detail}`
  if (error instanceof Error && 'syscall' in error) {
    const why =
      'code' in error && error.code === 'EADDRINUSE' ? 'the port is in use' : 'cannot listen there'
    return `Cannot start: ${why} (${error.message}). Set PORT or HOST to another one.`
  }
  return String(error instanceof Error ? error.stack : error)
}
