/**
 * A replica in a process of its own, as far as it talks to GitHub: the real client over the real
 * gate. Told by messages what to fetch; answers what became of it.
 */
import { createRateGate } from '../../src/github/budget/gate.ts'
import { createSharedLedger } from '../../src/github/budget/shared.ts'
import { createGitHub } from '../../src/github/client.ts'
import { tokenCredential } from '../../src/github/credentials.ts'
import { createMemoryResources } from '../../src/github/resources.ts'
import { createUpstream } from '../../src/github/upstream.ts'
import { createTagDrift } from '../../src/github/validators.ts'
import { connectPatiently } from './budgetRedis.ts'
import type { Job, Message, Outcome, WorkerSettings } from './budgetWorkers.ts'

const settings: WorkerSettings = JSON.parse(process.argv[2] ?? '')
const now = Date.now
const { redis, bus } = await connectPatiently(settings.redis)
const ledger = createSharedLedger({ redis, bus, now, limits: settings.limits })
const github = createGitHub({
  upstream: createUpstream({ apiUrl: settings.github, connections: 64, timeoutMs: 10_000 }),
  gate: createRateGate({ ledger, now, enforced: true }),
  conditions: { resources: createMemoryResources(1_000_000), drift: createTagDrift(now) },
  timeoutMs: settings.timeoutMs,
  userAgent: 'worker',
  now,
  random: Math.random,
  onCall: () => {},
})({
  credential: tokenCredential(settings.github, settings.token),
  signal: new AbortController().signal,
  urgency: 'interactive',
})

async function run({ calls, lanes, path }: Job): Promise<Outcome> {
  const refusals: Outcome['refusals'][number][] = []
  let answers = 0
  let started = 0
  const lane = async () => {
    while (started < calls && refusals.length === 0) {
      // Never the same resource again, so that nothing is a 304.
      const query = { worker: process.pid, call: started++, run: settings.run }
      await github.list(path, { limit: 1, query }).then(
        () => (answers += 1),
        ({ code, retryAfter }) => refusals.push({ code, retryAfter }),
      )
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return { answers, refusals }
}

const say = (message: Message) => process.send?.(message)
// After the gate's own listener: it has heard before the test has.
bus.on('budget', (heard) => say({ heard }))
process.on('message', (job: Job) => void run(job).then((outcome) => say({ outcome })))
process.on('disconnect', () => process.exit())
say({ ready: true })
