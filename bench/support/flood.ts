import { setTimeout as sleep } from 'node:timers/promises'
import { openWire, type Reply, rawRequest } from './wire.ts'

/** What came back of a flood while it was counted. */
export interface Flood {
  readonly seconds: number
  /** Seconds of CPU that the server used. */
  readonly cpu: number
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
  /** Requests a second, whatever becomes of them. */
  readonly rate: number
  /** Milliseconds until it is counted: by then as many wait as ever will. */
  readonly leadMs: number
  /** Milliseconds that are counted. */
  readonly ms: number
  readonly request: (index: number) => Buffer
  /** Of the server, so far. */
  readonly cpuSeconds: () => number
}

/** Many callers, all of whose connections are there. */
export interface Crowd {
  /**
   * Offers `rate` requests a second for so long, counts what is answered, and then waits for the rest:
   * more than can be answered is never waited for. Where every connection has a request on its way,
   * what is due is dropped: only a server that leaves nearly all of them waiting gets less than is
   * offered. They take turns.
   */
  flood(options: FloodOptions): Promise<Flood>
  close(): void
}

const HELLO = rawRequest('GET', '/health/live')

export async function openCrowd(url: string, connections: number): Promise<Crowd> {
  const free = Array.from({ length: connections }, () => openWire(url))
  const all = [...free]
  await Promise.all(all.map((wire) => new Promise((resolve) => wire.send(HELLO, resolve))))

  return {
    flood: async ({ cpuSeconds, leadMs, ms, rate, request }) => {
      const tally = createTally()
      let due = 0
      const started = performance.now()

      function send(index: number): void {
        const wire = free.shift()
        if (!wire) return
        const begun = performance.now()
        wire.send(request(index), (reply) => {
          free.push(wire)
          tally.add(reply, performance.now() - begun)
        })
      }

      const offering = setInterval(() => {
        const wanted = ((performance.now() - started) / 1000) * rate
        for (; due < wanted; due += 1) send(due)
      }, 1)
      await sleep(leadMs)
      const from = performance.now()
      const usedBefore = cpuSeconds()
      tally.begin()
      await sleep(ms)
      const counted = tally.end()
      const cpu = cpuSeconds() - usedBefore
      const seconds = (performance.now() - from) / 1000
      clearInterval(offering)
      while (free.length < all.length) await sleep(1)
      return { ...counted, cpu, seconds }
    },
    close() {
      for (const wire of all) wire.close()
    },
  }
}

function createTally() {
  const statuses = new Map<number, number>()
  const served: number[] = []
  const refused: number[] = []
  let unexplained = 0
  let counts = false
  return {
    begin() {
      counts = true
    },
    add({ head, status }: Reply, latency: number) {
      if (!counts) return
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === 200) served.push(latency)
      if (status !== 503) return
      refused.push(latency)
      if (!/\r\nretry-after: \d/i.test(head)) unexplained += 1
    },
    end() {
      counts = false
      return { statuses, served, refused, unexplained }
    },
  }
}
