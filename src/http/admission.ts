import type { FairLoop } from '../core/fairLoop.ts'

export interface AdmissionOptions {
  readonly loop: Pick<FairLoop, 'waiting' | 'delayOf'>
  /** Requests in work at most. */
  readonly maxConcurrent: number
  /** Milliseconds that a request may have to wait for the event loop before it is refused. */
  readonly maxDelay: number
  /** Requests that may wait, however little may be refused: more than there are connections. */
  readonly maxWaiting: number
}

/** What one caller has in work. */
export interface Place {
  leave(): void
}

/** Decides, as early as possible and for next to nothing, which requests are worth their work. */
export interface Admission {
  /** Whether a request of this caller is refused at the door, before anything is known of it. */
  isFull(caller: string): boolean
  /** A place for a request of this caller; undefined where it is refused. */
  enter(caller: string): Place | undefined
  stats(): AdmissionStats
}

export interface AdmissionStats {
  readonly inWork: number
  /** Refused since the start: because of the loop's delay, of requests in work, of a caller's share. */
  readonly shed: Readonly<Record<'delay' | 'concurrency' | 'share', number>>
}

/** Requests that may wait however long it takes: a pause is no overload. */
const FEW = 64
/**
 * Requests that may be refused for each that is let in, and how many of them are saved up: without a
 * bound, refusals would leave no time for answers.
 */
const REFUSING = { each: 0.25, saved: 256 }
/** How much one caller may have in work of what is free. */
const ALPHA = 2

/**
 * By two measures. The delay of the event loop: a request that would have to wait for longer than
 * `maxDelay` is refused when it comes, before those that wait; who asks little has a short line of
 * its own. To read and refuse a request costs about a third of answering one: at three times the
 * load to refuse the whole surplus would leave no time for answers. So refusals are bounded by the
 * answers, at a twelfth of the time, and who cannot be refused within that waits and is answered.
 * And requests in work: a caller may have twice as many as are free, so that one alone fills two
 * thirds and leaves room for others (Choudhury and Hahne, "Dynamic queue length thresholds for
 * shared-memory packet switches", IEEE/ACM Transactions on Networking 6, 1998).
 */
export function createAdmission(options: AdmissionOptions): Admission {
  const { loop, maxConcurrent, maxDelay, maxWaiting } = options
  /** Requests in work of those who have any. */
  const callers = new Map<string, number>()
  const shed = { delay: 0, concurrency: 0, share: 0 }
  let inWork = 0
  let mayRefuse = REFUSING.saved

  function refusal(own: number): keyof typeof shed | undefined {
    if (inWork >= maxConcurrent) return 'concurrency'
    if (own >= ALPHA * (maxConcurrent - inWork)) return 'share'
    return undefined
  }

  function leave(name: string): void {
    const own = (callers.get(name) ?? 0) - 1
    inWork -= 1
    if (own > 0) callers.set(name, own)
    else callers.delete(name)
  }

  return {
    isFull(name) {
      const isLate = loop.waiting >= FEW && loop.delayOf(name) > maxDelay
      if (!isLate || (mayRefuse < 1 && loop.waiting < maxWaiting)) {
        mayRefuse = Math.min(REFUSING.saved, mayRefuse + REFUSING.each)
        return false
      }
      mayRefuse = Math.max(0, mayRefuse - 1)
      shed.delay += 1
      return true
    },
    enter(name) {
      const own = callers.get(name) ?? 0
      const reason = refusal(own)
      if (reason) {
        shed[reason] += 1
        return undefined
      }
      inWork += 1
      callers.set(name, own + 1)
      let held = true
      return {
        leave() {
          if (!held) return
          held = false
          leave(name)
        },
      }
    },
    stats: () => ({ inWork, shed: { ...shed } }),
  }
}
