/**
 * Fills the store that the first argument names and prints as JSON the bytes that it counts, those that
 * it takes, and those of objects for each; with `again` as second argument, of what was asked for again.
 * To be run with `--expose-gc`.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { createMemoryStore } from '../../src/cache/memory.ts'
import { principalTag } from '../../src/context/common/tags.ts'
import { ServiceError } from '../../src/core/errors.ts'
import { createMemoryResources, credentialDigest } from '../../src/github/resources.ts'
import { redisKey } from '../../src/redis/keys.ts'

const ENTRIES = 10_000
const CHUNK = 65_536
const DROPPED = ENTRIES * CHUNK
const CAP = 128 * 1024 * 1024
const principal = 'Zk0W3vKcDq5o1mE8d3zJtA'

interface Filled {
  readonly bytes: number
  fill(number: number): Promise<void> | void
  askAgain(number: number): unknown
}

/** Bodies of 200 to 8,000 bytes. */
const sizeOf = (number: number) => 200 + ((number * 37) % 7_800)

function times() {
  const asOf = Date.now()
  const freshUntil = asOf + 60_000 * (0.9 + Math.random() / 5)
  return { asOf, freshUntil, staleUntil: freshUntil + 300_000, keepUntil: asOf + 86_400_000 }
}

const keyOf = (number: number) =>
  `${principal}:github_issue?${JSON.stringify([{ issue_number: number, owner: 'o', repo: 'r' }])}`

function answers(): Filled {
  const store = createMemoryStore(CAP)
  return {
    get bytes() {
      return store.bytes
    },
    askAgain: (number) => store.get(keyOf(number)),
    fill(number) {
      const key = keyOf(number)
      store.set(key, {
        kind: 'answer',
        contextId: `mcp-github_issue-${randomBytes(16).toString('hex').slice(0, 32)}`,
        body: Buffer.from('x'.repeat(sizeOf(number))),
        tags: [
          ...[`issue:o/r#${number}`, `access:o${number}`, `access:o${number}/r${number}`],
          principalTag(principal),
          redisKey('subject', key),
        ],
        ...times(),
      })
    },
  }
}

async function refused(): Promise<never> {
  await null
  throw new ServiceError('not_found', 'GitHub has no such thing.', { upstreamStatus: 404 })
}

function refusals(): Filled {
  const store = createMemoryStore(CAP)
  return {
    get bytes() {
      return store.bytes
    },
    askAgain: (number) => store.get(keyOf(number)),
    async fill(number) {
      const error: ServiceError = await refused().catch((refusal) => refusal)
      store.set(keyOf(number), { kind: 'refusal', error, tags: [], ...times() })
    },
  }
}

const resourceOf = (number: number) =>
  `https://api.github.com 2022-11-28 json /repos/o/r/issues/${number}/comments`

function resources(): Filled {
  const store = createMemoryResources(CAP)
  return {
    get bytes() {
      return store.bytes
    },
    askAgain: (number) => store.find(principal, resourceOf(number)),
    async fill(number) {
      const page = `<https://api.github.com/repositories/1/issues/${number}/comments?page=`
      await store.keep(principal, resourceOf(number), {
        // As an answer arrives: in a chunk of the socket’s.
        body: Buffer.alloc(CHUNK).subarray(0, sizeOf(number)),
        zipped: true,
        tag: `W/"${randomBytes(32).toString('hex')}"`,
        tagFor: credentialDigest(principal, String(number)),
        link: number % 2 === 0 ? `${page}2>; rel="next", ${page}9>; rel="last"` : undefined,
      })
    },
  }
}

/** Buffers are given back some time after the collection that finds them unused: until no more are. */
async function inUse(): Promise<{ readonly heap: number; readonly all: number }> {
  for (let last = Number.POSITIVE_INFINITY; ; ) {
    globalThis.gc?.()
    await wait(50)
    const { heapUsed: heap, external } = process.memoryUsage()
    const all = heap + external
    if (all > 0.999 * last) return { heap, all }
    last = all
  }
}

const kinds: Record<string, () => Filled> = { answers, refusals, resources }
const create = kinds[process.argv[2] ?? ''] as () => Filled
async function fill(store: Filled, entries: number): Promise<void> {
  for (let number = 0; number < entries; number += 1) {
    await store.fill(number)
    if (process.argv[3] === 'again') await store.askAgain(number)
  }
}

await fill(create(), 20)
// What is not used in several collections that nobody asked for, V8 drops: now, and not between the looks.
for (let bytes = 0; bytes < DROPPED; bytes += CHUNK) {
  Buffer.alloc(CHUNK)
  await null
}
const before = await inUse()
const store = create()
await fill(store, ENTRIES)
const after = await inUse()
console.log(
  JSON.stringify({
    counted: store.bytes,
    taken: after.all - before.all,
    objects: (after.heap - before.heap) / ENTRIES,
  }),
)
