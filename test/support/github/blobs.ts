/**
 * The store that GitHub keeps logs in: another host, reached by redirects to signed addresses that hold for a
 * minute. As Azure does, it refuses whoever sends it a credential that is not its own.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { World } from './types.ts'
import type { Job } from './work-types.ts'

export interface BlobRequest {
  /** With the query. */
  path: string
  /** Names of all headers that came, in lower case. */
  headers: readonly string[]
  authorization: string | undefined
  status: number
  /** Bytes of the body that the caller took before it went away. */
  sent: number
  /** Whether the caller went away before the end. */
  aborted: boolean
}

/** What it does instead of answering. */
type BlobFaultKind =
  | { kind: 'status'; status: number; headers?: Record<string, string> }
  | { kind: 'hang' }
  /** Half of the body, then nothing more, on an open connection. */
  | { kind: 'stall' }
  /** Half of the body, then the connection breaks. */
  | { kind: 'truncate' }

/** For every request, or for the next `times`. */
export type BlobFault = BlobFaultKind & { times?: number }

export interface Blobs {
  readonly url: string
  readonly requests: BlobRequest[]
  fault: BlobFault | undefined
  close: () => Promise<void>
}

/** Whoever knows it may read for a minute. */
const KEY = randomBytes(32)
const HOLDS_MS = 60_000

/** Where a job's log is, for a minute from now. */
export function signedPath(world: World, jobId: number): string {
  const path = `/actions-results/logs/job-${jobId}.txt`
  const until = world.now() + HOLDS_MS
  return `${path}?se=${until}&sp=r&sv=2025-11-05&sig=${signatureOf(path, until)}`
}

const signatureOf = (path: string, until: number) =>
  createHmac('sha256', KEY).update(`${path} ${until}`).digest('hex')

export async function startBlobs(world: World): Promise<Blobs> {
  const requests: BlobRequest[] = []
  const state: { fault: BlobFault | undefined } = { fault: undefined }
  const server = createServer((request, response) => {
    const record = note(request)
    requests.push(record)
    response.once('close', () => {
      record.sent = response.socket?.bytesWritten ?? record.sent
      record.aborted = !response.writableFinished
    })
    const { fault } = state
    if (fault?.times !== undefined)
      state.fault = fault.times > 1 ? { ...fault, times: fault.times - 1 } : undefined
    void serve(world, request, response, record, fault)
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const { port } = server.address() as AddressInfo
  return {
    // By name, so that it is another host and not only another port.
    url: `http://localhost:${port}`,
    requests,
    get fault() {
      return state.fault
    },
    set fault(value) {
      state.fault = value
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function note({ url = '', headers }: IncomingMessage): BlobRequest {
  const { authorization } = headers
  const names = Object.keys(headers)
  return { path: url, headers: names, authorization, status: 0, sent: 0, aborted: false }
}

async function serve(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  record: BlobRequest,
  fault: BlobFault | undefined,
): Promise<void> {
  const refuse = (status: number, code: string) => {
    record.status = status
    response.writeHead(status, { 'Content-Type': 'application/xml', 'x-ms-error-code': code })
    response.end(`\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code></Error>`)
  }
  if (fault?.kind === 'hang') return
  if (request.headers.authorization !== undefined) return refuse(400, 'InvalidAuthenticationInfo')
  if (fault?.kind === 'status') {
    record.status = fault.status
    response.writeHead(fault.status, fault.headers ?? {}).end()
    return
  }
  const url = new URL(request.url ?? '/', 'http://localhost')
  const until = Number(url.searchParams.get('se'))
  const good = url.searchParams.get('sig') === signatureOf(url.pathname, until)
  if (!good || world.now() > until) return refuse(403, 'AuthenticationFailed')
  const log = findJob(world, Number(/job-(\d+)/.exec(url.pathname)?.[1]))?.log
  if (log === undefined || (typeof log === 'object' && 'expired' in log)) {
    return refuse(404, 'BlobNotFound')
  }
  record.status = 200
  await sendText(response, typeof log === 'string' ? [log] : log(), fault)
}

async function sendText(
  response: ServerResponse,
  pieces: Iterable<string>,
  fault: BlobFault | undefined,
): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'text/plain' })
  if (!fault) {
    // Whoever goes away before the end breaks the pipe, and that is all right.
    await pipeline(Readable.from(pieces), response).catch(() => {})
    return
  }
  const text = [...pieces].join('')
  response.write(text.slice(0, text.length / 2), () => {
    if (fault.kind === 'truncate') response.destroy()
  })
}

function findJob(world: World, id: number): Job | undefined {
  for (const { work } of world.repositories.values()) {
    for (const { jobs } of work.runs.values()) {
      const found = jobs.find(({ body }) => body.id === id)
      if (found) return found
    }
  }
  return undefined
}
