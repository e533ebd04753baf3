/**
 * The simulator by remote control, for tests that run it as a process of its own. JSON in, JSON out:
 *
 * POST   /_sim/fault     a fault: `match` is a path as in faults.ts or `{ "regex": "…" }`, `times`, `kind` … → 201
 * DELETE /_sim/faults    removes all faults → 204
 * GET    /_sim/requests  `{ requests, rounds, violations }` since the last reset
 * POST   /_sim/reset     empties the log, removes all faults, gives all budgets back → 204
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { addFault, type FaultOptions } from './faults.ts'
import { rounds } from './log.ts'
import { resetCounts, type State } from './state.ts'

type Answer = [status: number, body?: unknown]
type WireFault = Omit<FaultOptions, 'match'> & { match: string | { regex: string } }

export function control(state: State, request: IncomingMessage, response: ServerResponse): void {
  decide(state, request).then(
    ([status, body]) => {
      response.writeHead(status, body === undefined ? {} : { 'Content-Type': 'application/json' })
      response.end(body === undefined ? undefined : JSON.stringify(body))
    },
    (error: unknown) => {
      response.writeHead(400, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify({ message: String(error) }))
    },
  )
}

async function decide(state: State, request: IncomingMessage): Promise<Answer> {
  switch (`${request.method} ${request.url}`) {
    case 'POST /_sim/fault': {
      const fault = (await json(request)) as WireFault
      const match = typeof fault.match === 'string' ? fault.match : new RegExp(fault.match.regex)
      addFault(state.faults, { ...fault, match } as FaultOptions)
      return [201, {}]
    }
    case 'DELETE /_sim/faults':
      state.faults.clear()
      return [204]
    case 'GET /_sim/requests': {
      const { requests, violations } = state
      return [200, { requests, rounds: rounds(requests), violations }]
    }
    case 'POST /_sim/reset':
      resetCounts(state)
      state.faults.clear()
      state.limits.owners.clear()
      return [204]
    default:
      return [404, { message: 'Not Found' }]
  }
}
