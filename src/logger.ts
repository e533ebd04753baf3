import pino, { type Logger } from 'pino'
import pretty from 'pino-pretty'

/** Names under which a secret could be logged by mistake. */
const SECRETS = ['authorization', 'token', '*.authorization', '*.token', '*.headers.authorization']

/** JSON lines on stdout, written in batches; readable lines on a terminal. */
export function createLogger(level: string): Logger {
  const options = {
    level,
    base: undefined,
    redact: SECRETS,
    timestamp: pino.stdTimeFunctions.isoTime,
  }
  if (process.stdout.isTTY) {
    return pino(
      options,
      pretty({ colorize: true, ignore: 'request_id', translateTime: 'SYS:HH:MM:ss', sync: true }),
    )
  }
  return pino(
    options,
    pino.destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: 200 }),
  )
}
