import { createRoster } from '../core/roster.ts'

/** What waits for the event loop. */
export interface Queue {
  readonly waiting: number
  /** Milliseconds that one more of the caller's would wait. */
  delayOf(caller: string): number
}

export interface AdmissionOptions {
  /** Those that a request passes, one after the other. */
  readonly queues: readonly Queue[]
  /** Requests in work at most. */
  readonly maxConcurrent: number
  /** Milliseconds that a request may have to wait for the event loop before it is refused. */
  readonly maxDelay: number
  /** Requests that may wait, however little may be refused: more than there are connections. */
  readonly maxWaiting: number
  /** Streams of one caller at once. */
  readonly maxStreams: number
}

/** What one caller has in work. */
export interface Place {
  /** Takes one of the caller's places for streams, until the end; false where it has none left. */
  stream(): boolean
  /** Nothing is worked on any more: what is sent from now on costs little. */
  leave(): void
  /** All is over. */
  end(): void
}

/** Decides, as early as possible and for next to nothing, which requests are worth their work. */
export interface Admission {
  /** Whether a request of this caller is refused at the door, before anything is known of it. */
  isFull(caller: string): boolean
  /** Whether it would be, were there one; counts for nothing. */
  refuses(caller: string): boolean
  /** A place for a request of this caller; undefined where it is refused. */
  enter(caller: string): Place | undefined
  /** Requests of the caller in work. */
  workOf(caller: string): number
  stats(): AdmissionStats
}

export interface AdmissionStats {
  readonly inWork: number
  readonly streams: number
  /**
   * Refused since the start: because of the loop's delay, of requests in work, of a caller's share of
   * these, of its streams.
   */
  readonly shed: Readonly<Record<'delay' | 'concurrency' | 'share' | 'streams', number>>
}

/** What one caller has. */
interface Caller {
  /** Requests in work. */
  work: number
  streams: number
}

/** Requests that may wait however long it takes: a pause is no overload. */
const FEW = 64
/**
 * Requests that may be refused for each that is let in, and how many of them are saved up: without a
 * bound, refusals would leave no time for answers.
 */
const REFUSING = { each: 0.15, saved: 256 }
/** How much one caller may have in work of what is free. */
const ALPHA = 2

/**
 * By two measures. The delay of the event loop: a request that would have to wait for longer than
 * `maxDelay` is refused when it comes, before those that wait; who asks little has a short line of
 * its own. To read and refuse a request costs about a third of answering one: at three times the
 * load to refuse the whole surplus would leave no time for answers. So refusals are bounded by the
 * answers, at a twentieth of the time, and who cannot be refused within that waits and is answered.
 * And requests in work: a caller may have twice as many as are free, so that one alone fills two
 * thirds and leaves room for others (Choudhury and Hahne, "Dynamic queue length thresholds for
 * shared-memory packet switches", IEEE/ACM Transactions on Networking 6, 1998).
 */
export function createAdmission(options: AdmissionOptions): Admission {
  const { queues, maxConcurrent, maxDelay, maxStreams, maxWaiting } = options
  const callers = createRoster<Caller>(
    () => ({ work: 0, streams: 0 }),
    ({ streams, work }) => work === 0 && streams === 0,
  )
  const shed = { delay: 0, concurrency: 0, share: 0, streams: 0 }
  let inWork = 0
  let streams = 0
  let mayRefuse = REFUSING.saved

  function refusal(own: number): 'concurrency' | 'share' | undefined {
    if (inWork >= maxConcurrent) return 'concurrency'
    if (own >= ALPHA * (maxConcurrent - inWork)) return 'share'
    return undefined
  }

  function refuses(name: string): boolean {
    const waiting = sumOf(queues, (queue) => queue.waiting)
    if (waiting < FEW || (mayRefuse < 1 && waiting < maxWaiting)) return false
    return sumOf(queues, (queue) => queue.delayOf(name)) > maxDelay
  }

  return {
    refuses,
    isFull(name) {
      if (!refuses(name)) {
        mayRefuse = Math.min(REFUSING.saved, mayRefuse + REFUSING.each)
        return false
      }
      mayRefuse = Math.max(0, mayRefuse - 1)
      shed.delay += 1
      return true
    },
    enter(name) {
      const caller = callers.of(name)
      const reason = refusal(caller.work)
      if (reason) {
        shed[reason] += 1
        return undefined
      }
      inWork += 1
      caller.work += 1
      let works = true
      let streamed = false
      function leave(): void {
        if (!works) return
        works = false
        inWork -= 1
        caller.work -= 1
      }
      return {
        leave,
        stream() {
          if (caller.streams >= maxStreams) {
            shed.streams += 1
            return false
          }
          streamed = true
          streams += 1
          caller.streams += 1
          return true
        },
        end() {
          leave()
          if (!streamed) return
          streamed = false
          streams -= 1
          caller.streams -= 1
        },
      }
    },
    workOf: (name) => callers.find(name)?.work ?? 0,
    stats: () => ({ inWork, streams, shed: { ...shed } }),
  }
}

function sumOf(queues: readonly Queue[], of: (queue: Queue) => number): number {
  let sum = 0
  for (const queue of queues) sum += of(queue)
  return sum
}
