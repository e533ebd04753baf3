import { hash } from 'node:crypto'

/** Before every key and channel, with the version of what is kept there. */
export const PREFIX = 'gcs1:'

/**
 * Key in Redis for a name of any length and content. The braces make Redis Cluster keep what
 * belongs to one name on one node (redis.io, "Hash tags").
 */
export function redisKey(kind: string, name: string): string {
  // Joined: see the names in github/client.ts.
  return [PREFIX, '{', hash('sha256', name, 'base64url'), '}:', kind].join('')
}
