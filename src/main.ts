import cluster from 'node:cluster'
import { enableCompileCache } from 'node:module'
import closeWithGrace, { type Signals } from 'close-with-grace'
import type { Logger } from 'pino'
import { sayReady } from './cluster/messages.ts'
import { superviseWorkers } from './cluster/supervisor.ts'
import { type Config, readConfig } from './config.ts'
import { keepYoung } from './heap.ts'
import { createLogger } from './logger.ts'
import { startService } from './service.ts'
import { explainStart } from './startFault.ts'

keepYoung()
enableCompileCache()

try {
  const config = readConfig(process.env)
  const logger = createLogger(config.LOG_LEVEL)
  const close = await start(config, logger)
  // With workers, SIGHUP asks for new ones.
  const skip: Signals[] = config.WORKERS > 1 ? ['SIGHUP'] : []
  closeWithGrace({ delay: 10_000, logger, skip }, async ({ err, signal }) => {
    if (err) logger.fatal({ err }, 'closing after an unexpected error')
    else logger.info(`closing on ${signal}`)
    await close()
    logger.flush()
  })
} catch (error) {
  process.stderr.write(`${explainStart(error)}\n`)
  process.exitCode = 1
  // The channel to the supervisor would keep it alive.
  cluster.worker?.disconnect()
}

/** The service in this process, or the supervisor of several that are. */
async function start(config: Config, logger: Logger): Promise<() => Promise<void>> {
  if (config.WORKERS > 1 && cluster.isPrimary) {
    const supervisor = await superviseWorkers(config.WORKERS, logger)
    process.on('SIGHUP', () => void supervisor.restart())
    return supervisor.close
  }
  const service = await startService(config, logger)
  sayReady()
  return service.close
}
