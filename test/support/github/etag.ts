/**
 * GitHub's ETags, as github.com/bored-engineer/github-conditional-http-transport found them to be made:
 * SHA-256 over the values of Accept, Authorization and Cookie, each followed by a colon where the header was
 * sent, and then the uncompressed body.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Reply, World } from './types.ts'

/** Tags kept for one answer; tokens rotate, and old ones are never asked for again. */
const KEPT = 256
const salts = new WeakMap<World, Map<string, string>>()

export function etagOf(world: World, reply: Reply, headers: IncomingHttpHeaders): string {
  const { accept, authorization, cookie } = headers
  let prefix = ''
  if (accept !== undefined) prefix += `${accept}:`
  if (authorization !== undefined) prefix += `${authorization}:`
  if (cookie !== undefined) prefix += `${cookie}:`
  if (world.etagScheme === 'opaque') prefix += saltOf(world, authorization ?? '')
  let tag = reply.etags.get(prefix)
  if (tag === undefined) {
    tag = `"${createHash('sha256').update(prefix).update(reply.body).digest('hex')}"`
    if (reply.etags.size >= KEPT) reply.etags.clear()
    reply.etags.set(prefix, tag)
  }
  return tag
}

function saltOf(world: World, authorization: string): string {
  const known = salts.get(world) ?? new Map<string, string>()
  salts.set(world, known)
  const salt = known.get(authorization) ?? randomBytes(16).toString('hex')
  known.set(authorization, salt)
  return salt
}

/** RFC 9110, section 13.1.2: weak comparison; a list; a star; If-Modified-Since only without it. */
export function isNotModified(headers: IncomingHttpHeaders, etag: string, reply: Reply): boolean {
  const ifNoneMatch = headers['if-none-match']
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === '*') return true
    return ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
  }
  const since = headers['if-modified-since']
  if (since === undefined || reply.lastModified === undefined) return false
  return Date.parse(since) >= Date.parse(reply.lastModified)
}
