import { openWire, type Reply } from './wire.ts'

/** What one stretch of load saw. */
export interface Load {
  readonly requests: number
  /** Answers other than 200 and 204, and broken connections. */
  readonly failed: number
  readonly seconds: number
  /** Milliseconds, one for each request. */
  readonly latencies: readonly number[]
}

export interface Answered {
  readonly reply: Reply
  /** Milliseconds. */
  readonly latency: number
  /** Which request it was, counted from 0. */
  readonly index: number
}

export interface LoadOptions {
  /** One server, or several that take turns. */
  readonly urls: readonly string[]
  readonly connections: number
  /** The request with this number. */
  readonly request: (index: number) => Buffer
  readonly onAnswer?: (answered: Answered) => void
}

function isDone({ status }: Reply): boolean {
  return status === 200 || status === 204
}

/**
 * Each connection sends its next request as soon as it has its answer: shows capacity. The generator
 * never sleeps meanwhile: on one machine whoever answers pays for waking it, and a slow server, for
 * whose answers it would sleep more often, would pay more for each.
 */
export async function saturate(
  options: LoadOptions & ({ readonly ms: number } | { readonly count: number }),
): Promise<Load> {
  const { urls, connections, request, onAnswer } = options
  const wires = Array.from({ length: connections }, (_, at) =>
    openWire(urls[at % urls.length] as string),
  )
  const latencies: number[] = []
  const started = performance.now()
  const isOver = (sent: number) =>
    'ms' in options ? performance.now() - started >= options.ms : sent >= options.count
  let failed = 0
  let sent = 0
  let awake = setImmediate(function stay() {
    awake = setImmediate(stay)
  })
  await Promise.all(
    wires.map(
      (wire) =>
        new Promise<void>((resolve) => {
          function next(): void {
            if (isOver(sent)) {
              resolve()
              return
            }
            const index = sent++
            const begun = performance.now()
            wire.send(request(index), (reply) => {
              const latency = performance.now() - begun
              latencies.push(latency)
              if (!isDone(reply)) failed += 1
              onAnswer?.({ reply, latency, index })
              next()
            })
          }
          next()
        }),
    ),
  )
  clearImmediate(awake)
  const seconds = (performance.now() - started) / 1000
  for (const wire of wires) wire.close()
  return { requests: latencies.length, failed, seconds, latencies }
}

/**
 * Sends `rate` requests a second however long the answers take, as callers who do not know of each
 * other do. A request that finds no free connection waits, and its latency counts from then on.
 */
export async function pace(
  options: LoadOptions & { readonly ms: number; readonly rate: number },
): Promise<Load> {
  const { urls, connections, request, onAnswer, ms, rate } = options
  const free = Array.from({ length: connections }, (_, at) =>
    openWire(urls[at % urls.length] as string),
  )
  const all = [...free]
  const queue: { index: number; due: number }[] = []
  const latencies: number[] = []
  const started = performance.now()
  const total = Math.floor((ms / 1000) * rate)
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
  let failed = 0
  let sent = 0

  function drain(): void {
    while (queue.length > 0 && free.length > 0) {
      const wire = free.shift() as (typeof free)[number]
      const { index, due } = queue.shift() as (typeof queue)[number]
      wire.send(request(index), (reply) => {
        const latency = performance.now() - due
        latencies.push(latency)
        if (!isDone(reply)) failed += 1
        onAnswer?.({ reply, latency, index })
        free.push(wire)
        if (latencies.length === total) finish()
        else drain()
      })
    }
  }

  const timer = setInterval(() => {
    const due = performance.now()
    const wanted = Math.min(total, Math.floor(((due - started) / 1000) * rate))
    for (; sent < wanted; sent += 1) queue.push({ index: sent, due })
    drain()
    if (sent === total) clearInterval(timer)
  }, 1)
  await finished
  const seconds = (performance.now() - started) / 1000
  for (const wire of all) wire.close()
  return { requests: latencies.length, failed, seconds, latencies }
}
