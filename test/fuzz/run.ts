import { createCheck, type FuzzAnswer } from './check.ts'
import { createRandom, type Random } from './random.ts'
import { createRequests, type FuzzRequest, type Sort } from './requests.ts'
import { type Stage, startStage } from './stage.ts'
import { sendRaw, sendWire } from './wire.ts'

export interface FuzzOptions {
  readonly seed: number
  readonly count: number
  /** Told after every ten thousand. */
  readonly say?: (line: string) => void
}

export interface FuzzReport {
  readonly requests: number
  /** Over a socket instead of within the process. */
  readonly overSockets: number
  readonly bySort: Readonly<Record<string, number>>
  readonly byStatus: Readonly<Record<string, number>>
  /** Operations of the document that have not once succeeded. */
  readonly unreached: readonly string[]
  /** Each kind once: what was wrong, how often, and the first request that showed it. */
  readonly faults: readonly Fault[]
}

interface Fault {
  readonly what: string
  readonly request: string
  count: number
}

/** Requests under way at once. */
const SIDE_BY_SIDE = 8
const SORTS: readonly Sort[] = ['valid', 'near', 'near', 'hostile', 'hostile']
/** One in so many goes over a socket, and one in so many finds GitHub failing. */
const SOCKET_EVERY = 20
const FAILING_EVERY = 25

/** Generated requests against the real app; every answer is held against the document. */
export async function runFuzz({ seed, count, say }: FuzzOptions): Promise<FuzzReport> {
  const random = createRandom(seed)
  await using stage = await startStage()
  const next = createRequests({ ...stage, random })
  const check = createCheck(stage.document)
  const bySort: Record<string, number> = {}
  const byStatus: Record<string, number> = {}
  const faults = new Map<string, Fault>()
  const operations = Object.values(stage.document.paths).flatMap((path) => Object.values(path))
  const unreached = new Set(operations.map(({ operationId }) => operationId))
  let overSockets = 0

  const judge = (request: FuzzRequest, answer: FuzzAnswer, gitHub: 'well' | 'failing') => {
    bySort[request.sort] = (bySort[request.sort] ?? 0) + 1
    byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1
    if (answer.status < 300) unreached.delete(request.operation?.operationId ?? '')
    const what = check(request, answer, gitHub)
    if (what !== undefined) note(faults, request, what)
  }
  for (let done = 0; done < count; done += SIDE_BY_SIDE) {
    const fails = random.int(FAILING_EVERY) === 0
    const fault = fails && stage.github.fault({ kind: 'status', status: 500, match: () => true })
    const batch = Array.from({ length: Math.min(SIDE_BY_SIDE, count - done) }, () => {
      const request = next(random.pick(SORTS))
      const overSocket = random.int(SOCKET_EVERY) === 0
      if (overSocket) overSockets += 1
      return { request, overSocket }
    })
    await Promise.all(
      batch.map(async ({ overSocket, request }) => {
        const send = overSocket ? sendWire : inject
        judge(request, await send(stage, request), fails ? 'failing' : 'well')
      }),
    )
    if (fault) fault.remove()
    if (say && done % 10_000 < SIDE_BY_SIDE) say(`${done} of ${count}, ${faults.size} faults`)
  }
  overSockets += await rawShare(stage, random, Math.ceil(count / 200), faults)
  const found = { bySort, byStatus, unreached: [...unreached], faults: [...faults.values()] }
  return { requests: count, overSockets, ...found }
}

async function inject({ app }: Stage, request: FuzzRequest): Promise<FuzzAnswer> {
  const { body, headers, method, url } = request
  const reply = await app.inject({
    method: method as 'GET',
    url,
    headers,
    ...(body === undefined ? {} : { payload: body }),
  })
  const contentType = String(reply.headers['content-type'] ?? '')
  return { status: reply.statusCode, contentType, body: reply.body }
}

/** What is no HTTP at all, or hardly. It must be refused as the document says problems look, or cut off. */
async function rawShare(
  stage: Stage,
  random: Random,
  count: number,
  faults: Map<string, Fault>,
): Promise<number> {
  for (let sent = 0; sent < count; sent += 1) {
    const { text, what } = await sendRaw(stage, random)
    if (what !== undefined)
      note(faults, { sort: 'hostile', method: 'RAW', url: text.slice(0, 200) }, what)
  }
  return count
}

type Shown = Pick<FuzzRequest, 'sort' | 'method' | 'url'> & Partial<FuzzRequest>

function note(faults: Map<string, Fault>, request: Shown, what: string): void {
  const { body = '', headers, method, sort, url } = request
  // The same fault of many requests: by its first words, without what is particular.
  const key = `${request.operation?.operationId} ${what.slice(0, 60).replaceAll(/\d+/g, '0')}`
  const known = faults.get(key)
  if (known) {
    known.count += 1
    return
  }
  const shown = `${sort}: ${method} ${url.slice(0, 300)} ${JSON.stringify(headers)?.slice(0, 300)} ${body.toString().slice(0, 500)}`
  faults.set(key, { what, request: shown, count: 1 })
}
