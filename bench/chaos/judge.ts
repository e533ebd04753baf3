import type { Reply } from './replicas.ts'
import type { Need, Tally } from './tally.ts'
import { type Marker, markersIn, SHARED, textOf, type Who, type World } from './world.ts'

/** What was asked for. */
export interface Question {
  readonly who: Who
  readonly repository: string
  /** Undefined for a list. */
  readonly number: number | undefined
  /** Seconds: the oldest acceptable answer. */
  readonly maxAge?: number
  readonly need: Need
}

export interface Judge {
  /** An answer with content of GitHub's. @param age seconds, by its own word */
  content(question: Question, reply: Reply, text: string, age?: number): void
  /** Any answer that is not 200; true where it is one. */
  failure(question: Question, reply: Reply): boolean
  /** A problem's code, in whatever it came. */
  problem(question: Question, reply: Reply, problem: Problem): void
  /** Since when bob's access must have ended everywhere; undefined while he may read. */
  refusedSince: number | undefined
}

interface Problem {
  readonly code: string
  readonly status: number
  readonly detail: string
  readonly retry_after?: number
}

/** Seconds, as the policy of issues has it: fresh and stale with jitter. What is kept for errors is younger than a run. */
const OLDEST = 3_600
/** Codes that must tell when to come back. */
const TELL_WHEN = new Set(['upstream_rate_limited', 'overloaded', 'rate_limited'])

/** Holds every answer against what GitHub really said, to whom, and when. */
export function createJudge(world: World, tally: Tally): Judge {
  const judge: Judge = { content, failure, problem, refusedSince: undefined }
  return judge

  function content(question: Question, reply: Reply, text: string, age = OLDEST): void {
    const { who, repository, number, maxAge = OLDEST } = question
    const asked = `${who} asked for ${repository}#${number ?? '*'}`
    const markers = markersIn(text)
    if (markers.length === 0) tally.blame('wrong', `${asked} and got no content`)
    const oldest = Math.min(maxAge, age + 1)
    // To the millisecond: all clocks are this machine's.
    const notBefore = reply.sentAt - oldest * 1000 - 5
    for (const marker of unique(markers)) {
      if (!mayRead(who, marker, reply.sentAt)) {
        tally.blame('foreign', `${asked} and got ${textOf(marker)}`)
      } else if (
        marker.repository !== repository ||
        (number !== undefined && marker.number !== number)
      ) {
        tally.blame('wrong', `${asked} and got ${textOf(marker)}`)
      } else if (!world.version(marker)) {
        tally.blame('wrong', `${asked} and got ${textOf(marker)}, which never was`)
      } else if (!world.said(who, marker, notBefore)) {
        tally.blame('wrong', `${asked} and got ${textOf(marker)}, not said for ${oldest} s`)
      }
    }
    if (number !== undefined && unique(markers).length > 1)
      tally.blame('wrong', `${asked} and got two versions in one`)
  }

  function mayRead(who: Who, { repository }: Marker, sentAt: number): boolean {
    const known = world.repositories.find(({ owner, name }) => `${owner}/${name}` === repository)
    if (!known?.readers.includes(who)) return false
    const isTaken = who === 'bob' && repository === `${SHARED.owner}/${SHARED.name}`
    return !(isTaken && sentAt >= (judge.refusedSince ?? Number.POSITIVE_INFINITY))
  }

  function failure(question: Question, reply: Reply): boolean {
    const { need, who, repository } = question
    if (reply.status === 0) {
      tally.broken(need, reply, `${who} ${repository}`)
      return true
    }
    if (reply.status === 200) return false
    try {
      problem(question, reply, JSON.parse(reply.text))
    } catch {
      tally.blame('wrong', `${reply.status} without a problem: ${reply.text.slice(0, 100)}`)
    }
    return true
  }

  function problem(question: Question, reply: Reply, told: Problem): void {
    const { need, who, repository } = question
    const { code, detail, retry_after, status } = told
    if (markersIn(`${reply.status === 200 ? '' : reply.text}${detail}`).length > 0)
      tally.blame('foreign', `a problem with content: ${detail}`)
    if (TELL_WHEN.has(code) && retry_after === undefined)
      tally.blame('wrong', `${code} without retry_after`)
    tally.refused(need, code, status, `${who} ${repository}: ${detail}`)
  }

  function unique(markers: readonly Marker[]): Marker[] {
    return [...new Map(markers.map((marker) => [textOf(marker), marker])).values()]
  }
}
