import cluster, { type Worker } from 'node:cluster'
import { Registry } from '@prometheus-io/client'
import type { Metrics } from '../metrics/metrics.ts'
import { kindOf } from './messages.ts'

/*
 * A scrape reaches one worker; what it asks for is of all. So the worker asks the supervisor, which
 * asks every worker and adds up.
 */

/** Milliseconds. A worker that does not tell in time is left out. */
const PATIENCE = 2_000

interface Asked {
  readonly kind: 'sum?' | 'own?'
  readonly id: number
}
interface Told {
  readonly kind: 'sum' | 'own'
  readonly id: number
  readonly metrics: unknown
}

/** In the supervisor: adds up the metrics of all workers for the one that asks. */
export function answerMetrics(workers: () => readonly Worker[]): void {
  const waiting = new Map<number, (metrics: unknown) => void>()
  let last = 0

  cluster.on('message', (asker, message: Asked | Told) => {
    if (kindOf(message) === 'own') waiting.get(message.id)?.((message as Told).metrics)
    if (kindOf(message) === 'sum?') void answer(asker, message.id)
  })

  async function answer(asker: Worker, id: number): Promise<void> {
    const told = await Promise.all(workers().map(ask))
    const sum = Registry.aggregate(told.filter((metrics) => metrics !== undefined))
    const metrics = await sum.metrics()
    if (asker.isConnected()) asker.send({ kind: 'sum', id, metrics })
  }

  async function ask(worker: Worker): Promise<object[] | undefined> {
    if (!worker.isConnected()) return undefined
    last += 1
    const id = last
    const { promise, resolve } = Promise.withResolvers<unknown>()
    waiting.set(id, resolve)
    const timer = setTimeout(resolve, PATIENCE)
    worker.send({ kind: 'own?', id })
    return promise.finally(() => {
      clearTimeout(timer)
      waiting.delete(id)
    }) as Promise<object[] | undefined>
  }
}

/** In a worker: its metrics are those of all workers. */
export function withMetricsOfAll(metrics: Metrics): Metrics {
  const waiting = new Map<number, (metrics: string) => void>()
  let last = 0

  process.on('message', async (message: Asked | Told) => {
    if (kindOf(message) === 'sum') waiting.get(message.id)?.((message as Told).metrics as string)
    if (kindOf(message) === 'own?') {
      process.send?.({ kind: 'own', id: message.id, metrics: await metrics.snapshot() })
    }
  })

  return {
    ...metrics,
    async render() {
      last += 1
      const id = last
      const { promise, resolve } = Promise.withResolvers<string>()
      waiting.set(id, resolve)
      // Rather its own than none.
      const timer = setTimeout(() => resolve(metrics.render()), PATIENCE * 2)
      process.send?.({ kind: 'sum?', id })
      return promise.finally(() => {
        clearTimeout(timer)
        waiting.delete(id)
      })
    },
  }
}
