import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultOptions } from '../../test/support/github/index.ts'
import type { RedisServer } from '../../test/support/redis.ts'
import { signature } from '../../test/support/webhooks.ts'
import type { Question } from './judge.ts'
import { anOpenIssue, askFor, type Stage } from './stage.ts'
import type { Permitted } from './tally.ts'
import { ISSUES, OPEN, SHARED } from './world.ts'

/** Of the service's configuration here. */
export const WEBHOOK_SECRET = ['chaos', 'webhook', 'secret'].join('-')
/** Milliseconds. How soon a signed event must have reached all replicas. */
const HEARD_MS = 1_000

export interface Scene extends Stage {
  readonly redis: RedisServer
}

export interface Step {
  readonly name: string
  /** In a table for operators: what callers are told. */
  readonly expectation: string
  /** What may fail meanwhile, and until all is well again. */
  readonly permitted: Permitted
  /** Breaks something, for about `ms`, and mends it. */
  run(scene: Scene, ms: number): Promise<void>
}

const everything = () => true

/** GitHub answers everything so. */
function gitHub(
  name: string,
  faults: readonly FaultOptions[],
  codes: readonly string[],
  expectation: string,
): Step {
  return {
    name,
    expectation,
    permitted: { github: codes },
    async run({ world }, ms) {
      for (const fault of faults) {
        const handle = world.github.fault(fault)
        await sleep(ms / faults.length)
        handle.remove()
      }
    },
  }
}

const LIMITED = 'kept answers go on, labelled stale; others get 503 with `retry_after` from GitHub'

export const STEPS: readonly Step[] = [
  {
    name: 'nothing fails',
    expectation: 'all is answered',
    permitted: {},
    run: (_scene, ms) => sleep(ms),
  },
  {
    name: 'a replica is killed (SIGKILL)',
    expectation: 'requests on their way to it break; the others answer',
    permitted: {},
    async run({ replicas }, ms) {
      for (const index of [0, 1]) {
        await replicas.kill(index)
        await sleep(ms / 4)
        await replicas.start(index)
        await sleep(ms / 4)
      }
    },
  },
  {
    name: 'replicas are replaced one by one (SIGTERM)',
    expectation: 'all is answered',
    permitted: {},
    async run({ replicas, tally }) {
      for (const index of replicas.pids.keys()) {
        const code = await replicas.stop(index)
        if (code !== 0) tally.blame('failed', `a replica ended with ${code} on SIGTERM`)
        await replicas.start(index)
      }
    },
  },
  {
    name: 'Redis is stopped and started',
    expectation: 'contexts are answered; sessions get 503 with `retry_after`',
    permitted: { session: ['overloaded'] },
    async run({ redis }, ms) {
      await redis.kill()
      await sleep(ms)
      await redis.restart()
    },
  },
  {
    name: 'Redis hangs',
    expectation: 'contexts are answered; sessions get 503 with `retry_after`',
    permitted: { session: ['overloaded'] },
    async run({ redis }, ms) {
      redis.pause()
      await sleep(ms)
      redis.resume()
    },
  },
  gitHub(
    'GitHub answers 500',
    [{ kind: 'status', status: 500, match: everything }],
    ['upstream_error'],
    'kept answers go on, labelled stale; others get 502',
  ),
  gitHub(
    'GitHub hangs',
    [{ kind: 'hang', match: everything }],
    ['upstream_timeout'],
    'kept answers go on, labelled stale; others get 504 after `GITHUB_TIMEOUT_MS`',
  ),
  gitHub(
    'GitHub drops connections, also within a body',
    [
      { kind: 'reset', match: everything },
      { kind: 'truncate', match: everything },
      { kind: 'garbage', match: everything },
    ],
    ['upstream_unreachable', 'upstream_error', 'upstream_timeout'],
    'kept answers go on, labelled stale; others get 502',
  ),
  gitHub(
    'GitHub’s primary limit is reached (403, 429)',
    [
      { kind: 'primary-limit', resetInSeconds: 2, match: everything },
      { kind: 'primary-limit', resetInSeconds: 2, status: 429, match: everything },
    ],
    ['upstream_rate_limited'],
    LIMITED,
  ),
  gitHub(
    'GitHub’s secondary limit is reached',
    [{ kind: 'secondary-limit', retryAfter: 2, match: everything }],
    ['upstream_rate_limited'],
    LIMITED,
  ),
  {
    name: 'a caller’s token is rotated',
    expectation:
      'the old token gets 502 as soon as GitHub has refused it once; the new one works, but sessions of the old one are another caller’s',
    // Between the rotation and the caller's own taking note of it lies a request or two.
    permitted: { github: ['upstream_auth'], kept: ['upstream_auth'], session: ['not_found'] },
    async run(scene, ms) {
      const { maxAge: _, ...kept } = anOpenIssue('ann')
      // Both with the token that is about to be replaced.
      const [asking, asBefore] = [askFor(scene, anOpenIssue('ann')), askFor(scene, kept)]
      scene.world.rotate('ann')
      await expectRefusal(scene, asking, 0, 502, 'upstream_auth')
      await sleep(HEARD_MS)
      for (const index of scene.replicas.pids.keys())
        await expectRefusal(scene, asBefore, index, 502, 'upstream_auth')
      await sleep(ms / 2)
    },
  },
  {
    name: 'a user’s access is taken away, as a webhook tells',
    expectation:
      'that user gets 404 on every replica within a second, also of what was kept, and of that nothing while GitHub fails; for others all of that owner’s is asked for anew',
    // GitHub fails for a moment: not even then may what is kept stand in.
    permitted: { github: ['not_found', 'upstream_error'], kept: ['not_found', 'upstream_error'] },
    async run(scene, ms) {
      scene.world.share(false)
      await notify(scene, 'member', {
        action: 'removed',
        member: { login: 'bob' },
        repository: { full_name: 'acme/shared', owner: { login: 'acme' } },
      })
      await sleep(HEARD_MS)
      scene.judge.refusedSince = Date.now()
      const failing = scene.world.github.fault({ kind: 'status', status: 500, match: everything })
      for (let number = 1; number <= ISSUES / 2; number += 1) {
        const repository = `${SHARED.owner}/${SHARED.name}`
        const question: Question = { who: 'bob', repository, number, need: 'kept' }
        await expectRefusal(scene, askFor(scene, question), number, 502, 'upstream_error')
      }
      failing.remove()
      for (let number = 1; number <= ISSUES; number += 1) {
        const repository = `${SHARED.owner}/${SHARED.name}`
        const question: Question = { who: 'bob', repository, number, need: 'kept' }
        await expectRefusal(scene, askFor(scene, question), number, 404, 'not_found')
      }
      await sleep(ms / 2)
      scene.judge.refusedSince = undefined
      scene.world.share(true)
    },
  },
  {
    name: 'the service’s own token is refused',
    expectation:
      'who uses it gets 502, also for what is kept; callers with tokens of their own go on',
    permitted: { github: ['upstream_auth'], kept: ['upstream_auth'] },
    async run({ world }, ms) {
      const token = world.token('service')
      world.rotate('service')
      await sleep(ms)
      world.restore('service', token)
    },
  },
]

/** @param index which replica */
async function expectRefusal(
  { replicas, tally }: Scene,
  ask: ReturnType<typeof askFor>,
  index: number,
  status: number,
  code: string,
): Promise<void> {
  tally.asked('refusal')
  const reply = await replicas.sendTo(index, ask)
  const told = reply.text === '' ? undefined : JSON.parse(reply.text).code
  const refused = reply.status === status && told === code
  // What GitHub refused a moment ago it need not be asked about again.
  if (refused || (status === 502 && reply.status === 404))
    tally.answered('github', 'refused as it should be')
  else tally.blame('foreign', `${reply.status} ${told} instead of ${status} ${code}`)
}

/** A signed delivery to whichever replica listens. */
async function notify(scene: Stage, event: string, payload: object): Promise<void> {
  const body = JSON.stringify(payload)
  scene.tally.asked('webhook')
  const reply = await scene.replicas.send({
    method: 'POST',
    path: '/webhooks/github',
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': signature(WEBHOOK_SECRET, body),
    },
    body,
  })
  if (reply.status !== 202 && !reply.killed)
    scene.tally.blame('failed', `a webhook got ${reply.status} ${reply.broken ?? reply.text}`)
}

/** GitHub's content changes all the time, and half of the time a webhook tells of it. */
export async function makeEdits(scene: Scene, signal: AbortSignal): Promise<void> {
  const { world } = scene
  for (let count = 0; !signal.aborted; count += 1) {
    const { owner, name } = world.repositories[count % world.repositories.length] ?? OPEN
    const number = 1 + Math.floor(Math.random() * ISSUES)
    world.edit(`${owner}/${name}`, number)
    if (count % 2 === 0) {
      const repository = { full_name: `${owner}/${name}`, owner: { login: owner } }
      await notify(scene, 'issues', { action: 'edited', repository, issue: { number } })
    }
    await sleep(150)
  }
}
