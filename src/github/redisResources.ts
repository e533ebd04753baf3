import { hash } from 'node:crypto'
import type { GuardedRedis } from '../redis/guarded.ts'
import { redisKey } from '../redis/keys.ts'
import { type Found, LARGEST_KEPT, type Resource, type ResourceStore } from './resources.ts'

/** Milliseconds. */
const KEEP_FOR = 86_400_000

interface Record {
  /** SHA-256 of the body as it is kept: equal ones are kept once. */
  readonly digest: string
  readonly zipped: boolean
  readonly tag: string
  readonly tagFor: string
  readonly link?: string
}

/** Resources that replicas share, behind those of this process. */
export function createSharedResources(local: ResourceStore, redis: GuardedRedis): ResourceStore {
  return {
    async find(principal, name) {
      return (await local.find(principal, name)) ?? (await findShared(redis, principal, name))
    },
    async keep(principal, name, resource) {
      await local.keep(principal, name, resource)
      if (resource.body.length <= LARGEST_KEPT) await keepShared(redis, principal, name, resource)
    },
    get bytes() {
      return local.bytes
    },
  }
}

async function findShared(
  redis: GuardedRedis,
  principal: string,
  name: string,
): Promise<Found | undefined> {
  const [own, latest] = await Promise.all([
    redis.try((client) => client.get(ownKey(principal, name))),
    redis.try((client) => client.get(latestKey(name))),
  ])
  const record = parseRecord(own ?? latest)
  if (!record) return undefined
  const body = await readBody(redis, record.digest)
  if (!body) return undefined
  const { tag, tagFor, link, zipped } = record
  return { resource: { body, zipped, tag, tagFor, link }, own: Boolean(own) }
}

async function keepShared(
  redis: GuardedRedis,
  principal: string,
  name: string,
  { body, link, tag, tagFor, zipped }: Resource,
): Promise<void> {
  const digest = hash('sha256', body)
  const record = JSON.stringify({
    digest,
    zipped,
    tag,
    tagFor,
    ...(link === undefined ? {} : { link }),
  } satisfies Record)
  await Promise.all([
    redis.try((client) => client.set(bodyKey(digest), body, 'PX', KEEP_FOR)),
    redis.try((client) => client.set(ownKey(principal, name), record, 'PX', KEEP_FOR)),
    redis.try((client) => client.set(latestKey(name), record, 'PX', KEEP_FOR)),
  ])
}

/** The body, if Redis has it and it is the one that was meant. */
async function readBody(redis: GuardedRedis, digest: string): Promise<Buffer | undefined> {
  const body = await redis.try((client) => client.getBuffer(bodyKey(digest)))
  return body && hash('sha256', body) === digest ? body : undefined
}

function parseRecord(text: string | null | undefined): Record | undefined {
  if (!text) return undefined
  try {
    const record = JSON.parse(text) as Partial<Record> | null
    const valid = [record?.digest, record?.tag, record?.tagFor].every(
      (field) => typeof field === 'string',
    )
    return valid && typeof record?.zipped === 'boolean' ? (record as Record) : undefined
  } catch {
    return undefined
  }
}

const ownKey = (principal: string, name: string) => redisKey('resource', `${principal} ${name}`)
const latestKey = (name: string) => redisKey('resource', name)
const bodyKey = (digest: string) => redisKey('body', digest)
