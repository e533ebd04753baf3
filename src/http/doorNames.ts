import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'

/** Who calls, as far as that can be told at the door: by headers that have been checked before. */
export interface DoorNames {
  /** Undefined where only the service itself can tell. */
  knownOf(request: IncomingMessage): string | undefined
  /** Who counts for a request whose caller is not known: the address that it comes from. */
  addressOf(request: IncomingMessage): string
  /** These headers are known to be this caller's. */
  learn(request: IncomingMessage, name: string): void
}

const MOST = 10_000

/**
 * What has not been checked counts for the address it comes from: making up keys makes nobody many.
 * @param trustsProxy whether the address of a caller without a key stands in a header
 */
export function createDoorNames(trustsProxy: boolean): DoorNames {
  const names = new LRUCache<string, string>({ max: MOST })
  const addressOf = ({ socket }: IncomingMessage) => `ip:${socket.remoteAddress}`
  return {
    addressOf,
    knownOf(request) {
      const sent = sentBy(request)
      if (sent !== undefined) return names.get(sent)
      return trustsProxy ? undefined : addressOf(request)
    },
    learn(request, name) {
      const sent = sentBy(request)
      if (sent && names.get(sent) !== name) names.set(sent, name)
    },
  }
}

function sentBy({ headers }: IncomingMessage): string | undefined {
  return headers.authorization ?? headers['x-api-key']?.toString()
}
