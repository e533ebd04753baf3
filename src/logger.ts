import pino, { type Logger } from 'pino'
import pretty from 'pino-pretty'

/** Bytes of lines, or milliseconds, until they are written: a write for each line costs as much as a hit. */
const BATCH = { minLength: 65_536, maxWrite: 131_072, periodicFlush: 200 }

/**
 * JSON lines on stdout, written in batches; readable lines on a terminal.
 * @param dest 2 for stderr, where stdout is for something else
 */
export function createLogger(level: string, dest: 1 | 2 = 1): Logger {
  const options = { level, base: undefined, timestamp: createTimestamp() }
  if ((dest === 1 ? process.stdout : process.stderr).isTTY) {
    return pino(
      options,
      pretty({
        colorize: true,
        ignore: 'request_id',
        translateTime: 'SYS:HH:MM:ss',
        sync: true,
        destination: dest,
      }),
    )
  }
  return pino(options, pino.destination({ dest, sync: false, ...BATCH }))
}

/** ISO 8601, written anew only when the millisecond is another one: many lines share theirs. */
function createTimestamp(): () => string {
  let last = 0
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== last) {
      last = now
      text = `,"time":"${new Date(now).toISOString()}"`
    }
    return text
  }
}
