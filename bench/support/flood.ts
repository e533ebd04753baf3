import { openWire, type Reply, rawRequest } from './wire.ts'

/** What came back of a flood while it lasted. */
export interface Flood {
  readonly seconds: number
  /** Answers by status; 0 where the connection broke. */
  readonly statuses: ReadonlyMap<number, number>
  /** Milliseconds from sending to the answer, of those that were served. */
  readonly served: readonly number[]
  /** The same of those that were refused with 503. */
  readonly refused: readonly number[]
  /** Refusals that do not say when to come again. */
  readonly unexplained: number
}

export interface FloodOptions {
  readonly url: string
  /** Requests a second, whatever becomes of them. */
  readonly rate: number
  readonly ms: number
  readonly connections: number
  readonly request: (index: number) => Buffer
  /** Told when all connections are there. */
  readonly onOpen?: () => void
}

const HELLO = rawRequest('GET', '/health/live')

/**
 * Offers `rate` requests a second for so long, and counts what is answered meanwhile: more than can
 * be answered is never waited for. Where every connection has a request on its way, what is due is
 * dropped: only a server that leaves nearly all of them waiting gets less than is offered. All
 * connections are there before it begins, and take turns.
 */
export async function flood(options: FloodOptions): Promise<Flood> {
  const { connections, ms, onOpen, rate, request, url } = options
  const free = Array.from({ length: connections }, () => openWire(url))
  const all = [...free]
  const statuses = new Map<number, number>()
  const served: number[] = []
  const refused: number[] = []
  let unexplained = 0
  let due = 0
  let over = false
  await Promise.all(all.map((wire) => new Promise((resolve) => wire.send(HELLO, resolve))))
  onOpen?.()
  const started = performance.now()

  function send(index: number): void {
    const wire = free.shift()
    if (!wire) return
    const begun = performance.now()
    wire.send(request(index), (reply: Reply) => {
      free.push(wire)
      if (over) return
      statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1)
      const latency = performance.now() - begun
      if (reply.status === 200) served.push(latency)
      if (reply.status !== 503) return
      refused.push(latency)
      if (!/\r\nretry-after: \d/i.test(reply.head)) unexplained += 1
    })
  }

  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = performance.now() - started
      for (const wanted = (Math.min(elapsed, ms) / 1000) * rate; due < wanted; due += 1) send(due)
      if (elapsed < ms) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  over = true
  const seconds = (performance.now() - started) / 1000
  for (const wire of all) wire.close()
  return { seconds, statuses, served, refused, unexplained }
}
