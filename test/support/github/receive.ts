/** One request from arrival to answer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { type FaultKind, takeFault } from './faults.ts'
import { budgetOf, enter, giveBack, isViolation } from './limits.ts'
import { credentialDigest, type RequestRecord } from './log.ts'
import { authenticate, secretOf } from './principals.ts'
import { answer, faultReply, refuseRequest, versionOf } from './respond.ts'
import { type Match, router } from './router.ts'
import { ROUTES } from './routes/index.ts'
import { type Prepared, prepare, send, sendEndless, sendTruncated } from './send.ts'
import type { State } from './state.ts'
import type { Ask, Principal, Reply } from './types.ts'

interface Arrival {
  state: State
  request: IncomingMessage
  response: ServerResponse
  record: RequestRecord
  principal: Principal
  /** What GitHub refuses without looking further: no User-Agent, a bad credential. */
  refused: Reply | undefined
  /** More than a secondary limit allows. */
  over: boolean
}

const ANONYMOUS: Principal = { kind: 'anonymous', name: 'anonymous' }
const findRoute = router(ROUTES)

export function receive(state: State, request: IncomingMessage, response: ServerResponse): void {
  const { world } = state
  const { headers, method = 'GET' } = request
  const known = authenticate(world, headers.authorization)
  const principal = 'kind' in known ? known : ANONYMOUS
  const refused = refuseRequest(headers) ?? ('kind' in known ? undefined : known)
  const reading = method === 'GET' || method === 'HEAD'
  // A query reads, although it is sent with POST.
  const points = reading || request.url?.endsWith('/graphql') ? 1 : 5
  const record = note(state, request, 'kind' in known ? principal.name : 'unknown', points)
  response.once('close', () => {
    if (!response.writableFinished) record.leftAt = performance.now()
  })
  let over = false
  if (!refused) {
    const entered = enter(state.limits, world, principal, points)
    over = entered.over
    response.once('close', entered.leave)
  }
  const arrival: Arrival = { state, request, response, record, principal, refused, over }
  if (reading) {
    decide(arrival, undefined)
  } else {
    json(request).then(
      (body) => decide(arrival, body),
      () => decide(arrival, undefined),
    )
  }
}

function note(
  state: State,
  { method = 'GET', url = '/', headers }: IncomingMessage,
  principal: string,
  points: number,
): RequestRecord {
  const { authorization } = headers
  const record: RequestRecord = {
    method,
    path: url,
    status: 0,
    principal,
    credential: credentialDigest(authorization && secretOf(authorization)),
    conditional: 'if-none-match' in headers || 'if-modified-since' in headers,
    at: state.world.now(),
    startedAt: performance.now(),
    finishedAt: 0,
    leftAt: 0,
    cost: 0,
    points,
  }
  if (state.requests.length >= state.logSize) state.requests.splice(0, state.logSize >> 1)
  state.requests.push(record)
  return record
}

/** What is answered is decided on arrival; latency and delays only hold it back. */
function decide(arrival: Arrival, body: unknown): void {
  const { state, record, principal, refused } = arrival
  const { world, limits } = state
  const ask = askOf(arrival, body)
  const match = findRoute(ask.method, ask.pathname)
  if (match) ask.params = match.params
  const resource = match?.route.resource ?? 'core'
  if (!refused && !match?.route.free && isViolation(limits, world, principal, resource)) {
    record.violation = true
    state.violations++
  }
  const { delayMs, fault } = faultFor(arrival)
  const faulty = fault && faultReply(limits, ask, resource, fault)
  const given = faulty?.reply ?? refused
  const { reply, cost } = given
    ? { reply: given, cost: 0 }
    : answer(limits, ask, match, arrival.over)
  record.cost = cost
  const prepared = finish(arrival, reply, match, faulty?.reset)
  holdBack(state, state.latencyMs + delayMs, () => write(arrival, prepared, fault))
}

function askOf({ state, request, principal }: Arrival, body: unknown): Ask {
  const { world, origin, blobOrigin, limits } = state
  const { url = '/', method = 'GET', headers } = request
  const mark = url.indexOf('?')
  const search = mark < 0 ? '' : url.slice(mark)
  let query: URLSearchParams | undefined
  return {
    world,
    origin,
    blobOrigin,
    method,
    pathname: mark < 0 ? url : url.slice(0, mark),
    search,
    get query() {
      query ??= new URLSearchParams(search)
      return query
    },
    accept: headers.accept ?? '',
    version: versionOf(headers),
    principal,
    params: {},
    body,
    budget: (resource) => budgetOf(limits, world, principal, resource),
  }
}

function faultFor({ state, request, record }: Arrival): { delayMs: number; fault?: FaultKind } {
  if (state.faults.size === 0) return { delayMs: 0 }
  const { method, path, principal } = record
  const taken = takeFault(state.faults, { method, path, headers: request.headers, principal })
  if (taken.fault) record.fault = taken.fault.kind
  return taken
}

function finish(
  { state, request, record, principal }: Arrival,
  reply: Reply,
  match: Match | undefined,
  reset: number | undefined,
): Prepared {
  const { world, limits } = state
  const resource = match?.route.resource ?? 'core'
  const prepared = prepare(world, request, reply, (notModified) => {
    if (notModified && record.cost > 0 && principal.kind !== 'anonymous') {
      giveBack(limits, world, principal, resource)
      record.cost = 0
    }
    const budget = budgetOf(limits, world, principal, resource)
    if (reset !== undefined) Object.assign(budget, { remaining: 0, used: budget.limit, reset })
    return { version: versionOf(request.headers), principal, resource, budget }
  })
  record.status = prepared.status
  return prepared
}

function holdBack(state: State, ms: number, deliver: () => void): void {
  if (ms === 0) {
    deliver()
    return
  }
  const timer = setTimeout(() => {
    state.timers.delete(timer)
    deliver()
  }, ms)
  state.timers.add(timer)
}

function write(
  { request, response, record }: Arrival,
  prepared: Prepared,
  fault: FaultKind | undefined,
): void {
  const broken = fault?.kind === 'hang' || fault?.kind === 'reset'
  if (broken) record.status = 0
  if (fault?.kind === 'hang') return
  record.finishedAt = performance.now()
  if (fault?.kind === 'reset') request.socket.resetAndDestroy()
  else if (fault?.kind === 'truncate') sendTruncated(response, prepared)
  else if (fault?.kind === 'endless') sendEndless(response, prepared)
  else send(response, prepared)
}
