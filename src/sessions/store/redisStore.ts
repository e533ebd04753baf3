import { hash } from 'node:crypto'
import { ServiceError } from '../../core/errors.ts'
import type { RedisClient } from '../../redis/connection.ts'
import { PREFIX, redisKey } from '../../redis/keys.ts'
import type { PatientRedis } from '../../redis/patient.ts'
import { APPEND, COMMIT, CREATE, EXPIRE, READ, REMOVE } from './redisScripts.ts'
import type {
  Address,
  Append,
  Commit,
  ItemRecord,
  Refusal,
  SessionRecord,
  SessionStore,
  StoreOptions,
} from './store.ts'

/**
 * All sessions by the time at which to look whether they have expired. Sessions have no TTL of
 * Redis' own: what has one may be evicted when memory is short, and a session must not be.
 */
const INDEX = `${PREFIX}sessions`
/** Milliseconds between looks for expired sessions, and how many one look takes away at most. */
const SWEEP_EVERY = 60_000
const SWEPT_AT_ONCE = 500

const SHA1 = new Map(
  [CREATE, READ, APPEND, COMMIT, REMOVE, EXPIRE].map((script) => [script, hash('sha1', script)]),
)

/** Tells a caller that Redis does not answer, or is full. */
export function redisProblem(why: 'unreachable' | 'full'): ServiceError {
  return why === 'full'
    ? new ServiceError(
        'overloaded',
        'Sessions are kept in Redis, which has no memory left. Retry later, or tell the operator; DELETE sessions that are done with.',
        { retryAfter: 30 },
      )
    : new ServiceError(
        'overloaded',
        'Sessions are kept in Redis, which does not answer now. Retry in a moment: sending the same items again is safe, and GET status tells whether a turn was kept.',
        { retryAfter: 2 },
      )
}

/** Sessions in Redis, for all replicas together. */
export function createRedisSessions(redis: PatientRedis, options: StoreOptions): SessionStore {
  const { now, ttl, limits } = options
  const timer = setInterval(() => void sweep().catch(() => {}), SWEEP_EVERY).unref()

  function run(script: string, { id, owner }: Address, args: readonly (string | number)[]) {
    const at = now()
    const key = redisKey('session', id)
    return redis.run((client) => evaluate(client, script, key, [owner, at, at + ttl, ...args]))
  }

  /** What is due is either gone, or was used since and is looked at again when it may have expired. */
  async function sweep(): Promise<void> {
    const at = now()
    const due = await redis.run((client) =>
      client.zrangebyscore(INDEX, '-inf', at, 'LIMIT', 0, SWEPT_AT_ONCE),
    )
    for (const key of due) {
      const expires = await redis.run((client) => evaluate(client, EXPIRE, key, [at]))
      await redis.run<unknown>((client) =>
        expires === '' ? client.zrem(INDEX, key) : client.zadd(INDEX, Number(expires), key),
      )
    }
  }

  return {
    async create(session) {
      const createdAt = now()
      const expiresAt = createdAt + ttl
      const key = redisKey('session', session.id)
      // First, so that no session is ever forgotten.
      await redis.run((client) => client.zadd(INDEX, expiresAt, key))
      await redis.run((client) =>
        evaluate(client, CREATE, key, [session.owner, createdAt, expiresAt]),
      )
      return { createdAt, expiresAt }
    },
    async read(session) {
      const found = await run(READ, session, [])
      return Array.isArray(found) ? recordOf(found as string[]) : undefined
    },
    append: async (session, append) =>
      (await run(APPEND, session, [limits.items, limits.bytes, ...appendArgs(append)])) as
        | 'done'
        | Refusal,
    commit: async (session, commit) =>
      (await run(COMMIT, session, [
        ...[limits.items, limits.bytes, limits.turns],
        ...commitArgs(commit),
      ])) as 'done' | Refusal,
    async remove(session) {
      const removed = (await run(REMOVE, session, [])) === 'done'
      if (removed) {
        const key = redisKey('session', session.id)
        await redis.run((client) => client.zrem(INDEX, key)).catch(() => {})
      }
      return removed
    },
    count: () => redis.run((client) => client.zcard(INDEX)).catch(() => undefined),
    trouble: () => (redis.available ? undefined : 'Redis does not answer: sessions answer 503'),
    close() {
      clearInterval(timer)
      redis.close()
    },
  }
}

/** By its digest, as scripts are longer than most of what they are given (redis.io, "EVALSHA"). */
async function evaluate(
  client: RedisClient,
  script: string,
  key: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(SHA1.get(script) as string, 1, key, ...args)
  } catch (error) {
    if (!String((error as Error).message).startsWith('NOSCRIPT')) throw error
    return client.eval(script, 1, key, ...args)
  }
}

function appendArgs({ items, sources }: Append): (string | number)[] {
  const puts = items.flatMap(({ key, json, told }) => [key, json, told ? '1' : '0'])
  return [items.length, ...puts, sources.size, ...[...sources].flat()]
}

function commitArgs(commit: Commit): (string | number)[] {
  const { turnId, turn, after, items, removed, told, sources } = commit
  return [
    ...[turnId, turn, after],
    ...[items.length, ...items.flatMap(({ key, version, json }) => [key, version ?? '', json])],
    ...[removed.length, ...removed.flatMap(({ key, version }) => [key, version])],
    ...[told.length, ...told.flatMap(({ key, version }) => [key, version])],
    ...[sources.size, ...[...sources].flatMap(([name, json]) => [name, json ?? ''])],
  ]
}

interface Placed extends ItemRecord {
  readonly place: number
}

/** The hash, field by field, as a record. */
function recordOf(flat: readonly string[]): SessionRecord {
  const fields = new Map<string, string>()
  for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] as string, flat[at + 1] as string)
  const items: Placed[] = []
  const sources = new Map<string, string>()
  const turns: string[] = []
  for (const [field, value] of fields) {
    const name = field.slice(2)
    if (field.startsWith('i:')) items.push(itemOf(name, value, fields))
    else if (field.startsWith('s:')) sources.set(name, value)
    else if (field.startsWith('n:')) turns[Number(name) - 1] = value
  }
  return {
    createdAt: Number(fields.get('created')),
    expiresAt: Number(fields.get('expires')),
    bytes: Number(fields.get('bytes')),
    items: items.sort((left, right) => left.place - right.place),
    sources,
    turns,
  }
}

function itemOf(key: string, json: string, fields: ReadonlyMap<string, string>): Placed {
  const [place, version] = (fields.get(`p:${key}`) ?? '0:0').split(':')
  const before = fields.get(`b:${key}`)
  return {
    key,
    json,
    place: Number(place),
    version: Number(version),
    before: before === '' ? null : before,
  }
}
