/**
 * Fills the store that the first argument names and prints as JSON the bytes that it counts and those
 * that it takes. To be run with `--expose-gc`.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { createMemoryStore } from '../../src/cache/memory.ts'
import { principalTag } from '../../src/context/common/tags.ts'
import { ServiceError } from '../../src/core/errors.ts'
import { createMemoryResources, credentialDigest } from '../../src/github/resources.ts'
import { redisKey } from '../../src/redis/keys.ts'

const ENTRIES = 10_000
const NO_CAP = 2 ** 40
const principal = 'Zk0W3vKcDq5o1mE8d3zJtA'

interface Filled {
  readonly bytes: number
  fill(number: number): Promise<void> | void
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
  const store = createMemoryStore(NO_CAP)
  return {
    get bytes() {
      return store.bytes
    },
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
  const store = createMemoryStore(NO_CAP)
  return {
    get bytes() {
      return store.bytes
    },
    async fill(number) {
      const error: ServiceError = await refused().catch((refusal) => refusal)
      store.set(keyOf(number), { kind: 'refusal', error, tags: [], ...times() })
    },
  }
}

function resources(): Filled {
  const store = createMemoryResources(NO_CAP)
  return {
    get bytes() {
      return store.bytes
    },
    async fill(number) {
      const name = `https://api.github.com 2022-11-28 json /repos/o/r/issues/${number}/comments`
      const page = `<https://api.github.com/repositories/1/issues/${number}/comments?page=`
      await store.keep(principal, name, {
        // As an answer arrives: in a chunk of the socket’s.
        body: Buffer.alloc(65_536).subarray(0, sizeOf(number)),
        zipped: true,
        tag: `W/"${randomBytes(32).toString('hex')}"`,
        tagFor: credentialDigest(principal, String(number)),
        link: number % 2 === 0 ? `${page}2>; rel="next", ${page}9>; rel="last"` : undefined,
      })
    },
  }
}

/** Buffers are given back some time after the collection that finds them unused: until no more are. */
async function inUse(): Promise<number> {
  for (let last = Number.POSITIVE_INFINITY; ; ) {
    globalThis.gc?.()
    await wait(50)
    const { heapUsed, external } = process.memoryUsage()
    if (heapUsed + external > 0.999 * last) return heapUsed + external
    last = heapUsed + external
  }
}

const kinds: Record<string, () => Filled> = { answers, refusals, resources }
const create = kinds[process.argv[2] ?? ''] as () => Filled
const warmUp = create()
for (let number = 0; number < 20; number += 1) await warmUp.fill(number)
const store = create()
const before = await inUse()
for (let number = 0; number < ENTRIES; number += 1) await store.fill(number)
const taken = (await inUse()) - before
console.log(JSON.stringify({ counted: store.bytes, taken }))
