/**
 * Fills the cache in the process and prints what it says that it takes, and what it takes, as JSON.
 * To be run with `--expose-gc`, as what is not yet collected is not in use.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createMemoryStore } from '../../src/cache/memory.ts'
import { redisKey } from '../../src/redis/keys.ts'

const KEYS = 1_000_000
const CAP = 64 * 1024 * 1024
const SAMPLE_EVERY = 25_000
/** Answers that are asked for again and again while all others pass: one in so many, up to so many. */
const POPULAR_EVERY = 50
const POPULAR = 2_000

const tokens = 'when the server restarts while a request waits, the login page shows an error '
const principal = 'Zk0W3vKcDq5o1mE8d3zJtA'

function keyOf(number: number): string {
  const params = { issue_number: number, max_comments: 30, owner: 'bench', repo: 'bench' }
  return `${principal}:github_issue?${JSON.stringify([params])}`
}

/** An entry such as the engine keeps, with bodies of one to eight kilobytes. */
function fill(number: number): void {
  const key = keyOf(number)
  const content = tokens.repeat(12 + (number % 90))
  const now = Date.now()
  store.set(key, {
    kind: 'answer',
    contextId: `mcp-github_issue-${String(number).padStart(32, '0')}`,
    body: Buffer.from(JSON.stringify({ context_id: number, context: [{ content }] })),
    tags: [
      `issue:bench/bench#${number}`,
      `access:bench`,
      'access:bench/bench',
      `principal:${principal}`,
      redisKey('answer', key),
    ],
    asOf: now,
    freshUntil: now + 60_000,
    staleUntil: now + 360_000,
    keepUntil: now + 86_400_000,
  })
}

/** Buffers are given back some time after the collection that finds them unused. */
async function inUse(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.()
    await sleep(100)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const store = createMemoryStore(CAP)
for (let number = 0; number < 1_000; number += 1) fill(number)
store.clear()
const empty = await inUse()
const resident: number[] = []
for (let number = 0; number < KEYS; number += 1) {
  fill(number)
  const popular = Math.min(POPULAR, Math.ceil((number + 1) / POPULAR_EVERY))
  store.get(keyOf((number % popular) * POPULAR_EVERY))
  if (number % SAMPLE_EVERY === 0) resident.push(process.memoryUsage.rss())
}
const real = (await inUse()) - empty
console.log(
  JSON.stringify({ cap: CAP, counted: store.bytes, entries: store.entries, real, resident }),
)
