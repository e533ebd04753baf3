import { setImmediate as nextTurn } from 'node:timers/promises'
import { isRefusal } from '../../src/cache/refusals.ts'
import type { CacheRequest, Outcome } from '../../src/cache/request.ts'
import type { Engine } from '../../src/context/engine.ts'
import { providers } from '../../src/context/registry.ts'
import { compileContracts } from '../../src/context/request/contract.ts'
import { type ContextRequest, parseRequest } from '../../src/context/request/request.ts'
import { marksOf } from '../../src/context/webhooks/marks.ts'
import { createFakeRedis } from '../support/fakeRedis.ts'
import { createStandIn, type Mode, REPOSITORIES, type StandIn, type Who } from './github.ts'
import { createLedger, type Ledger } from './ledger.ts'
import type { Ask, Setting, Step } from './steps.ts'
import {
  createFakeLeases,
  createReplica,
  type FakeLeases,
  type Mutation,
  type Replica,
} from './system.ts'

/** Milliseconds that every step takes: what happens in another step happens at another time. */
const STEP_MS = 1
/** Rounds in which all that is pending must have come to an end. */
const LAST_ROUNDS = 40
const contracts = compileContracts(providers)
const requests = new Map<string, ContextRequest>()

interface Run {
  readonly clock: { time: number }
  readonly github: StandIn
  readonly ledger: Ledger
  readonly leases: FakeLeases
  readonly replicas: readonly Replica[]
  readonly redis: { flush(): void }
  readonly open: Set<AbortController>
  readonly faults: unknown[]
  /** Steps for which GitHub still answers everything with an error. */
  outage: number
  last?: { readonly who: Who; readonly ask: Ask }
}

/**
 * Plays one history on two replicas with one Redis, and judges every answer by what GitHub said.
 * @returns how many answers came about in which way
 * @throws Error for the first answer that must not have been given
 */
export async function play(
  setting: Setting,
  steps: readonly Step[],
  mutation: Mutation = {},
): Promise<ReadonlyMap<Outcome | 'told', number>> {
  const closing = new AbortController()
  const run = begin(setting, mutation, closing.signal)
  try {
    // As where a webhook of each repository was set up before.
    for (const repository of REPOSITORIES)
      deliverHook(run, { do: 'deliverHook', replica: 0, delivery: { event: 'ping', repository } })
    await settle(run)
    for (const step of steps) {
      run.clock.time += STEP_MS
      run.outage -= 1
      take(run, step)
      await settle(run)
    }
    await end(run)
    return run.ledger.outcomes
  } finally {
    closing.abort()
  }
}

function begin(setting: Setting, mutation: Mutation, closing: AbortSignal): Run {
  const clock = { time: Date.parse('2026-01-31T12:00:00Z') }
  const now = () => clock.time
  let order = 0
  const next = () => {
    order += 1
    return order
  }
  const github = createStandIn({
    now,
    next,
    tags: setting.tags === 'drifting' ? 'version' : setting.tags,
  })
  const redis = createFakeRedis(now)
  const leases = createFakeLeases()
  const connections = [redis.connect(), redis.connect()]
  const ledger = createLedger({ now, next, github, connections })
  const replicas = connections.map((connection, index) =>
    createReplica({
      now,
      github,
      connection,
      leases: leases.of(connection),
      mutation,
      sharedResources: setting.sharedResources,
      drifted: setting.tags === 'version',
      webhooks: setting.webhooks,
      onMark: (mark, tags) => ledger.mark(index, mark, tags),
      watch: (request) => watched(request, index, ledger, github, now),
      closing,
    }),
  )
  return { clock, github, ledger, leases, replicas, redis, open: new Set(), faults: [], outage: 0 }
}

/** Writes down what GitHub refused, or said of a repository, on the way to an answer. */
function watched(
  request: CacheRequest,
  replica: number,
  ledger: Ledger,
  github: StandIn,
  now: () => number,
): CacheRequest {
  return {
    ...request,
    async load(signal, urgency) {
      ledger.loads(replica, request)
      try {
        const at = now()
        const loaded = await request.load(signal, urgency)
        const { context } = JSON.parse(loaded.body.toString()) as {
          context: { visibility?: string }[]
        }
        const said = request.key.startsWith('anyone:') ? 'public' : context[0]?.visibility
        if (said) ledger.spoke(replica, loaded.tags, said === 'public', at)
        if (loaded.policy.toldFor !== undefined) ledger.relied(replica, request, loaded.tags)
        return loaded
      } catch (error) {
        if (isRefusal(error)) ledger.refused(replica, request, error.code, github.delivered)
        throw error
      }
    },
  }
}

function take(run: Run, step: Step): void {
  const { github, ledger, replicas } = run
  switch (step.do) {
    case 'ask':
      ask(run, step.who, step.ask)
      if (step.twin) ask(run, step.twin, step.ask)
      run.last = step
      break
    case 'askAgain': {
      const { later, maxAge, replica } = step
      if (later > 0) passTime(run, later)
      if (run.last) ask(run, run.last.who, { ...run.last.ask, replica, maxAge })
      break
    }
    case 'deliver':
      github.deliver(step.index, run.outage > 0 ? 'error' : step.mode)
      break
    case 'decide':
      github.decide(step.index, step.mode)
      break
    case 'deliverAll':
      deliverAll(github, run.outage > 0 ? 'error' : 'truth')
      break
    case 'wait':
      passTime(run, step.seconds)
      break
    case 'abort':
      ;[...run.open][step.index % Math.max(1, run.open.size)]?.abort(new Left())
      break
    case 'change':
      github.change(step.repository, step.part)
      break
    case 'access':
      github.toggleAccess(step.who, step.repository)
      break
    case 'visibility':
      github.toggleVisibility()
      break
    case 'outage':
      run.outage = step.steps
      break
    case 'rotate':
      github.rotate(step.who)
      break
    case 'token':
      github.toggleToken(step.who)
      break
    case 'event': {
      const { mark, tag } = step.event
      void replicas[step.replica]?.invalidations.mark(mark, [tag])
      break
    }
    case 'deliverHook':
      deliverHook(run, step)
      break
    case 'hang': {
      const replica = replicas[step.replica]
      if (replica?.connection.bus.connected) replica.connection.hang(ledger.hangs(step.replica))
      break
    }
    case 'redis':
      toggleRedis(run)
      break
    case 'flush':
      run.redis.flush()
      ledger.flushed()
      break
    case 'bus': {
      const connection = replicas[step.replica]?.connection
      if (connection?.reachable) connection.listen(!connection.bus.connected)
      break
    }
  }
}

/** While it passes every replica gives signs of life. */
function passTime({ clock, github, leases, replicas }: Run, seconds: number): void {
  clock.time += seconds * 1000
  leases.tick()
  github.expire()
  for (const { connection } of replicas) void connection.bus.publish('heartbeat', '')
}

/** As the door does it: first what it makes stale, then what it says of the hook. */
function deliverHook({ ledger, replicas }: Run, { replica, delivery }: HookStep): void {
  const { coverage, invalidations } = replicas[replica] as Replica
  if (!coverage) return
  const { event, repository } = delivery
  const payload = {
    repository: { full_name: `acme/${repository}` },
    ...(event === 'ping' ? { hook: { type: 'Repository', events: ['*'] } } : {}),
    ...(event === 'issues' ? { action: 'edited', issue: { number: 1 } } : {}),
    ...(event === 'meta' ? { action: 'deleted' } : {}),
  }
  const { changed = [] } = marksOf(event, payload) ?? {}
  if (changed.length > 0) void invalidations.mark('changed', changed)
  ledger.delivered(replica, event, `access:acme/${repository}`)
  void coverage.delivered(event, payload, { id: repository, target: 'repository' })
}

/** A Redis that is gone is gone for all, and takes the subscriptions with it. */
function toggleRedis({ replicas }: Run): void {
  const reachable = !replicas[0]?.connection.reachable
  for (const { connection } of replicas) connection.reachable = reachable
  for (const { connection } of replicas) connection.listen(reachable)
}

function deliverAll(github: StandIn, mode: Mode): void {
  for (let left = github.pending.length; left > 0; left -= 1) github.deliver(0, mode)
}

type HookStep = Extract<Step, { do: 'deliverHook' }>

class Left extends Error {}

function ask(run: Run, who: Who, { replica, ...what }: Ask): void {
  const { ledger } = run
  const request = requestOf(what)
  const caller = new AbortController()
  const asked = ledger.asked(replica, who, `${who}:${request.key}`, what.maxAge)
  const asker = { callerToken: who, signal: () => caller.signal, meter: { calls: 0 } }
  // As the HTTP door does it.
  const answerFrom = async (engine: Engine) =>
    engine.atHand(request, asker) ?? engine.get(request, asker)
  const answer = answerFrom((run.replicas[replica] as Replica).engine)
  run.open.add(caller)
  answer
    .then(
      (cached) => ledger.answered(asked, cached),
      (error: unknown) => {
        if (!(error instanceof Left)) ledger.failed(asked, error)
      },
    )
    .catch((fault: unknown) => run.faults.push(fault))
    .finally(() => run.open.delete(caller))
}

function requestOf({ type, repository, maxTokens, maxAge }: Omit<Ask, 'replica'>): ContextRequest {
  const name = `${type} ${repository} ${maxTokens} ${maxAge}`
  const known = requests.get(name)
  if (known) return known
  const issue = type === 'github_issue' ? { issue_number: 1 } : {}
  const request = parseRequest(contracts, {
    context_type: type,
    params: { owner: 'acme', repo: repository, ...issue },
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(maxAge === undefined ? {} : { max_age: maxAge }),
  })
  requests.set(name, request)
  return request
}

/** Until nothing happens any more without a further step. */
async function settle(run: Run): Promise<void> {
  do await nextTurn()
  while (run.replicas.some(({ busy }) => busy()))
  run.ledger.settled()
  if (run.faults.length > 0) throw run.faults[0]
}

/** Whoever still waits must get an answer once GitHub gives all of its. */
async function end(run: Run): Promise<void> {
  for (let round = 0; run.open.size > 0 || run.github.pending.length > 0; round += 1) {
    if (round === LAST_ROUNDS) throw new Error(`${run.open.size} callers wait for ever`)
    run.clock.time += STEP_MS
    deliverAll(run.github, 'truth')
    run.leases.tick()
    await settle(run)
  }
}
