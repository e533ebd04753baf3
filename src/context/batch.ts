import { ServiceError } from '../core/errors.ts'
import { divide } from './answer/shares.ts'
import type { Caller } from './caller.ts'
import type { Answered, Engine } from './engine.ts'
import type { Contracts } from './request/contract.ts'
import { type ContextRequest, parseRequest } from './request/request.ts'

export interface Batch {
  /** Context requests as they were sent: one that is not valid fails alone. */
  readonly requests: readonly unknown[]
  /** Tokens that all answers together may have. */
  readonly maxTokens: number | undefined
  /** For those requests that do not say otherwise. */
  readonly defaults: Readonly<Record<string, unknown>>
}

export type BatchResult =
  | {
      readonly answered: Answered
      readonly request: ContextRequest
      /** What is told of it: what is new since the answer that the request names; none where nothing is. */
      readonly body: Buffer | undefined
    }
  | { readonly failure: unknown }

/** Requests of one batch that are under way at a time. */
const AT_ONCE = 8
/** Tokens: the smallest budget that a request may have. */
const LEAST = 100

/**
 * Answers many requests, equal ones once. Where their answers together exceed the budget, those that
 * need more than an even share are fitted into what the others leave.
 * @param onResult told of each result that is final, in the order in which they are
 * @throws ServiceError `invalid_request` for a budget that cannot be shared by so many
 */
export async function getBatch(
  { engine, contracts }: { engine: Engine; contracts: Contracts },
  { requests, maxTokens, defaults }: Batch,
  caller: Caller,
  onResult: (index: number, result: BatchResult) => void = () => {},
): Promise<BatchResult[]> {
  if (maxTokens !== undefined && maxTokens < LEAST * requests.length) {
    const message = `must be at least ${LEAST * requests.length}: ${LEAST} for each request`
    throw new ServiceError('invalid_request', `/max_tokens: ${message}`, {
      errors: [{ pointer: '/max_tokens', message }],
    })
  }
  const parse = (input: unknown, limit: number | undefined) =>
    parseRequest(contracts, within(input, limit, defaults))
  const memo = new Map()
  const get = createGetter(engine, { ...caller, memo })
  const isFinal = maxTokens === undefined
  const first = await all(
    requests,
    (input) => get(() => parse(input, maxTokens)),
    (index, result) => {
      if (isFinal) onResult(index, result)
    },
  )
  if (maxTokens === undefined) return first

  const shares = divide(maxTokens, first.map(tokensOf))
  return all(
    first,
    (result, index) => {
      const share = Math.max(LEAST, shares[index] ?? 0)
      if (tokensOf(result) <= share) return Promise.resolve(result)
      return get(() => parse(requests[index], share))
    },
    onResult,
  )
}

/** Equal requests share one answer. */
function createGetter(engine: Engine, caller: Caller) {
  async function answerTo(request: ContextRequest): Promise<BatchResult> {
    const answered = await engine.get(request, caller)
    const { body, contextId } = answered.entry
    if (request.since === undefined) return { answered, request, body }
    const isNew = request.since !== contextId
    return { answered, request, body: isNew ? await engine.changes(request, answered) : undefined }
  }
  const answers = new Map<string, Promise<BatchResult>>()
  return (parse: () => ContextRequest): Promise<BatchResult> => {
    let request: ContextRequest
    try {
      request = parse()
    } catch (failure) {
      return Promise.resolve({ failure })
    }
    const key = `${request.key}#${request.maxAge}#${request.since}`
    const known = answers.get(key)
    if (known) return known
    const answer = answerTo(request).catch((failure: unknown): BatchResult => ({ failure }))
    answers.set(key, answer)
    return answer
  }
}

/** The request with the batch's defaults, and no more than its limit. */
function within(
  input: unknown,
  limit: number | undefined,
  defaults: Readonly<Record<string, unknown>>,
): unknown {
  if (!(input instanceof Object) || Array.isArray(input)) return input
  const { max_tokens: own } = input as { max_tokens?: unknown }
  const given = { ...defaults, ...input }
  if (limit === undefined) return given
  const asked = Number(own ?? limit)
  return Number.isNaN(asked) ? given : { ...given, max_tokens: Math.min(asked, limit) }
}

function tokensOf(result: BatchResult): number {
  if ('failure' in result || !result.body) return 0
  const { tokens } = JSON.parse(result.body.toString()) as { tokens: number }
  return tokens
}

/** Maps side by side, a bounded number at a time, in order. */
async function all<T, R>(
  items: readonly T[],
  map: (item: T, index: number) => Promise<R>,
  onEach: (index: number, result: R) => void,
): Promise<R[]> {
  const results = new Array<R>(items.length)
  const entries = items.entries()
  await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, items.length) }, async () => {
      for (const [index, item] of entries) {
        const result = await map(item, index)
        results[index] = result
        onEach(index, result)
      }
    }),
  )
  return results
}
