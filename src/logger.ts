import pino, { type DestinationStream, type Logger } from 'pino'
import pretty from 'pino-pretty'

/** Characters of lines, or milliseconds, until they are written: a write for each line costs as much as a hit. */
const BATCH = 65_536
const WRITE_EVERY = 200

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
  return pino(options, createBatches(dest))
}

/**
 * Output by batches. Lines are gathered here, as sonic-boom measures all that it holds anew with each
 * line (`write` in its index.js).
 */
function createBatches(dest: 1 | 2) {
  const out = pino.destination({ dest, sync: false, minLength: BATCH, maxWrite: 2 * BATCH })
  const ended = () => 'destroyed' in out && out.destroyed === true
  let lines = ''
  const pass = () => {
    if (lines === '' || ended()) return
    out.write(lines)
    lines = ''
  }
  const flush = (done?: (error?: Error) => void) => {
    pass()
    if (!ended()) out.flush(done)
  }
  setInterval(flush, WRITE_EVERY).unref()
  // Before the destination's own listeners, which write what it holds.
  process.prependListener('beforeExit', pass)
  process.prependListener('exit', pass)
  return {
    write(line: string) {
      lines += line
      if (lines.length >= BATCH) pass()
    },
    flush,
    flushSync() {
      pass()
      if (!ended()) out.flushSync()
    },
  } satisfies DestinationStream & Pick<typeof out, 'flush' | 'flushSync'>
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
