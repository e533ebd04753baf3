import { enableCompileCache } from 'node:module'
import closeWithGrace from 'close-with-grace'
import { readConfig } from './config.ts'
import { createLogger } from './logger.ts'
import { startService } from './service.ts'
import { explainStart } from './startFault.ts'

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
  process.stderr.write(`${explainStart(error)}\n`)
  process.exitCode = 1
}
