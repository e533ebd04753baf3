import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import type { Logger } from 'pino'
import { StartFault } from '../startFault.ts'
import { flagsFor } from './flags.ts'
import { isReady } from './messages.ts'
import { answerMetrics } from './metrics.ts'

/** Milliseconds before a worker that ended is replaced: at once, then doubling for as long as starts fail. */
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 30_000

export interface Supervisor {
  /** Replaces all workers, one after the other: each leaves when its successor is ready. */
  restart(): Promise<void>
  /** Ends all workers, each after what it is at. */
  close(): Promise<void>
}

/**
 * Runs the service in several processes that share one port. A worker that ends is replaced; what it
 * was at is all that is lost.
 * @throws Error when not even the first worker can be started: it has said why
 */
export async function superviseWorkers(count: number, logger: Logger): Promise<Supervisor> {
  const ready = new Map<Worker, Promise<boolean>>()
  /** Those that end because they were told to. */
  const leaving = new Set<Worker>()
  let failures = 0
  let closing = false
  let restarting: Promise<void> = Promise.resolve()

  cluster.setupPrimary({ execArgv: [...process.execArgv, ...flagsFor(count)] })
  cluster.on('exit', (worker, code, signal) => {
    ready.delete(worker)
    if (closing || leaving.delete(worker)) return
    const pause = failures === 0 ? 0 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures)
    failures += 1
    logger.error(
      { worker: worker.id, code, signal, pause_ms: pause },
      'a worker ended: it is replaced',
    )
    setTimeout(() => closing || start(), pause)
  })
  answerMetrics(() => [...ready.keys()])

  // The first alone, so that what keeps all of them from starting is said once.
  const first = start()
  leaving.add(first)
  if (!(await isUp(first))) throw new StartFault('The first worker did not start.')
  leaving.delete(first)
  for (let i = 1; i < count; i += 1) start()

  return {
    restart() {
      restarting = restarting.then(restartAll)
      return restarting
    },
    async close() {
      closing = true
      await Promise.all([...ready.keys()].map(end))
    },
  }

  function start(): Worker {
    const worker = cluster.fork()
    const { promise, resolve } = Promise.withResolvers<boolean>()
    ready.set(worker, promise)
    worker.on('message', (message) => {
      if (!isReady(message)) return
      failures = 0
      resolve(true)
    })
    worker.once('exit', () => resolve(false))
    return worker
  }

  function isUp(worker: Worker): Promise<boolean> {
    return ready.get(worker) ?? Promise.resolve(false)
  }

  async function restartAll(): Promise<void> {
    for (const old of [...ready.keys()]) {
      if (closing) return
      const successor = start()
      leaving.add(successor)
      const started = await isUp(successor)
      leaving.delete(successor)
      if (!started) {
        logger.error('a new worker did not start: those that run stay')
        return
      }
      await end(old)
    }
    logger.info('all workers are new')
  }

  async function end(worker: Worker): Promise<void> {
    if (worker.isDead()) return
    leaving.add(worker)
    const exited = once(worker, 'exit')
    // Not worker.kill(): that would cut its way to say what its requests still need.
    worker.process.kill('SIGTERM')
    await exited
  }
}
