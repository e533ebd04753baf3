import { hash } from 'node:crypto'
import { matchesPath } from './faults.ts'

export interface RequestRecord {
  method: string
  /** With the query. */
  path: string
  /** 0 while unanswered, and for ever when it hung or was reset. */
  status: number
  /** A login, 'installation:ID', 'app:ID', 'anonymous', or 'unknown' for a refused credential. */
  principal: string
  /** A digest of the credential, so that no log holds one. */
  credential: string
  conditional: boolean
  /** By the world's clock. */
  at: number
  /** Milliseconds by the monotonic clock; `finishedAt` is 0 while unanswered. */
  startedAt: number
  finishedAt: number
  /** When the caller hung up before the answer was complete; 0 where that did not happen. */
  leftAt: number
  /** What it took from the primary limit: 0 or 1, of GraphQL's more where a query is large. */
  cost: number
  /** What it took from the secondary limit: 1 to read, a GraphQL query included, 5 to write. */
  points: number
  fault?: string
  /** Sent although GitHub had said to wait. */
  violation?: true
}

export interface CountFilter {
  path?: string | RegExp
  method?: string
  status?: number
  token?: string
}

export function credentialDigest(secret: string | undefined): string {
  return secret === undefined ? '' : hash('sha256', secret).slice(0, 16)
}

export function count(records: readonly RequestRecord[], filter: CountFilter): number {
  const { path, method, status, token } = filter
  const credential = token === undefined ? undefined : credentialDigest(token)
  return records.filter(
    (record) =>
      (path === undefined || matchesPath(path, record.path)) &&
      (method === undefined || record.method === method) &&
      (status === undefined || record.status === status) &&
      (credential === undefined || record.credential === credential),
  ).length
}

/**
 * How many requests had to wait for one another: the longest run of requests of which each began after the
 * one before it was answered. Requests that were in flight together make one round. It says little without
 * `latencyMs`: an answer that takes no time overlaps with nothing.
 */
export function rounds(records: readonly RequestRecord[]): number {
  const byEnd = records
    .map(({ startedAt, finishedAt }) => ({ startedAt, finishedAt: finishedAt || Infinity }))
    .sort((a, b) => a.finishedAt - b.finishedAt)
  let total = 0
  let end = -Infinity
  for (const { startedAt, finishedAt } of byEnd) {
    if (startedAt < end) continue
    total++
    end = finishedAt
  }
  return total
}
