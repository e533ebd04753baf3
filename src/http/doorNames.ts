import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'

/** Who calls, as far as that can be told at the door: by headers that have been checked before. */
export interface DoorNames {
  nameOf(request: IncomingMessage): string
  /** These headers are known to be this caller's. */
  learn(request: IncomingMessage, name: string): void
}

const MOST = 10_000

/** What has not been checked counts for the address it comes from: making up keys makes nobody many. */
export function createDoorNames(): DoorNames {
  const names = new LRUCache<string, string>({ max: MOST })
  return {
    nameOf(request) {
      const sent = sentBy(request)
      return (sent && names.get(sent)) ?? `ip:${request.socket.remoteAddress}`
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
