import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Blobs, startBlobs } from './blobs.ts'
import { control } from './control.ts'
import { addFault, type FaultHandle, type FaultOptions } from './faults.ts'
import { newLimits } from './limits.ts'
import { type CountFilter, count, type RequestRecord, rounds } from './log.ts'
import { receive } from './receive.ts'
import { recordedWorld } from './recorded-world.ts'
import { resetCounts, type State } from './state.ts'
import type { World } from './types.ts'

export interface GitHubOptions {
  world?: World
  /** How long every answer takes; what it says is decided when the request arrives. */
  latencyMs?: number
  port?: number
  /** How long after a limit was announced a request may still have been on its way; 10 unless given. */
  graceMs?: number
  /** Opens `/_sim/…`, for tests in another process. */
  control?: boolean
  /** Requests kept in the log, the oldest are forgotten first; 200,000 unless given. */
  logSize?: number
}

export interface GitHub extends AsyncDisposable {
  readonly url: string
  readonly world: World
  readonly requests: readonly RequestRecord[]
  /** The store of logs, on a host of its own. */
  readonly blobs: Blobs
  latencyMs: number
  /** Requests sent during a cool-down that had been announced. */
  readonly violations: number
  count: (filter?: CountFilter) => number
  rounds: () => number
  resetCounts: () => void
  /** Gives all callers their budgets back. */
  resetLimits: () => void
  fault: (options: FaultOptions) => FaultHandle
  clearFaults: () => void
  close: () => Promise<void>
}

/** GitHub's REST API on a port of 127.0.0.1. */
export async function startGitHub(options: GitHubOptions = {}): Promise<GitHub> {
  const state: State = {
    world: options.world ?? recordedWorld(),
    origin: '',
    blobOrigin: '',
    latencyMs: options.latencyMs ?? 0,
    logSize: options.logSize ?? 200_000,
    limits: newLimits(options.graceMs ?? 10),
    faults: new Set(),
    requests: [],
    violations: 0,
    timers: new Set(),
  }
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    if (options.control && request.url?.startsWith('/_sim/')) control(state, request, response)
    else receive(state, request, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  state.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const blobs = await startBlobs(state.world)
  state.blobOrigin = blobs.url
  return handleOf(state, server, blobs)
}

function handleOf(state: State, server: Server, blobs: Blobs): GitHub {
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= Promise.all([
      blobs.close(),
      new Promise<void>((resolve) => {
        for (const timer of state.timers) clearTimeout(timer)
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    ]).then(() => {})
    return closed
  }
  return {
    url: state.origin,
    world: state.world,
    blobs,
    get requests() {
      return state.requests
    },
    get latencyMs() {
      return state.latencyMs
    },
    set latencyMs(value) {
      state.latencyMs = value
    },
    get violations() {
      return state.violations
    },
    count: (filter = {}) => count(state.requests, filter),
    rounds: () => rounds(state.requests),
    resetCounts: () => resetCounts(state),
    resetLimits: () => state.limits.owners.clear(),
    fault: (fault) => addFault(state.faults, fault),
    clearFaults: () => state.faults.clear(),
    close,
    [Symbol.asyncDispose]: close,
  }
}
