import { abortable } from '../../core/abortable.ts'
import { problems, ServiceError } from '../../core/errors.ts'
import type { Answer, Draft, FetchContext, Provider } from '../../core/provider.ts'
import {
  type BlockChecks,
  blockChecks,
  soundAnswer,
  soundDraft,
  soundOmissions,
  soundPolicy,
} from './answer.ts'
import { isRecord, membersOf } from './members.ts'

export interface GuardOptions {
  /** Milliseconds that one answer may take. */
  readonly timeoutMs: number
  /** Told what a caller is not told. */
  readonly onFailure: (type: string, error: unknown) => void
}

const LONGEST_VERSION = 200
const LONGEST_DETAIL = 500
/** Only the service itself may say these. */
const NOT_THEIRS = new Set<string>(['internal_error', 'unauthorized'])

/**
 * A provider from outside, held to the contract at each call: what it throws, answers wrongly or
 * does not answer in time becomes a problem, its texts are cleaned, and nothing that it promised is
 * left without somebody who hears of its failure.
 */
export function guardProvider(provider: Provider, options: GuardOptions): Provider {
  const guard: Guard = { ...options, type: provider.type }
  const checks = blockChecks(provider)
  const { account, version } = provider
  return {
    ...membersOf(provider),
    tags: (params) => inSync(guard, () => strings(provider.tags(copyOf(params)))),
    ...(account && {
      account: (params) => inSync(guard, () => stringOr(account.call(provider, copyOf(params)))),
    }),
    ...(version && {
      version: (params, signal) => {
        const time = timeOf(guard, signal)
        return inTime(guard, time, async () =>
          versionOf(await version.call(provider, copyOf(params), time.signal)),
        )
      },
    }),
    fetch: (params, context) => {
      const time = timeOf(guard, context.signal)
      const call: Call = { time, checks, provider, context, contexts: new WeakMap() }
      return inTime(guard, call.time, async () => {
        const given: unknown = await provider.fetch(copyOf(params), contextOf(call, context))
        hearAll(given)
        return guardAnswer(guard, soundAnswer(given), call)
      })
    },
  }
}

interface Guard extends GuardOptions {
  readonly type: string
}

/** Until when an answer is waited for. */
interface Time {
  /** Aborted when nobody waits any more. */
  readonly wanted: AbortSignal
  readonly limit: AbortSignal
  /** Aborted by either. */
  readonly signal: AbortSignal
}

interface Call {
  readonly time: Time
  readonly checks: BlockChecks
  readonly provider: Provider
  readonly context: FetchContext
  /** The contexts behind those that the provider was given. */
  readonly contexts: WeakMap<FetchContext, FetchContext>
}

function timeOf({ timeoutMs }: Guard, wanted: AbortSignal): Time {
  const limit = AbortSignal.timeout(timeoutMs)
  return { wanted, limit, signal: AbortSignal.any([wanted, limit]) }
}

/** The same context with the time limit. */
function contextOf(call: Call, context: FetchContext): FetchContext {
  const given: FetchContext = Object.create(context, {
    signal: { value: call.time.signal },
    part: { value: () => contextOf(call, context.part()) },
  })
  call.contexts.set(given, context)
  return given
}

function guardAnswer(guard: Guard, answer: Answer, call: Call): Answer {
  const { cache } = answer
  const { checks, provider, time } = call
  return {
    ...answer,
    blocks: answer.blocks.map((block) =>
      heard(
        inTime(guard, time, async () =>
          guardDraft(
            guard,
            await soundDraft(
              await block,
              checks,
              provider.blockType,
              (draft) => sourceOf(draft, call).clean,
            ),
            call,
          ),
        ),
      ),
    ),
    omitted: heard(inTime(guard, time, async () => soundOmissions(await answer.omitted))),
    ...(cache && { cache: () => inSync(guard, () => soundPolicy(cache.call(answer))) }),
  }
}

/** The context behind the one that a draft says it was read with. */
const sourceOf = ({ from }: Draft, { context, contexts }: Call) =>
  (from && contexts.get(from)) ?? context

function guardDraft(guard: Guard, draft: Draft, call: Call): Draft {
  return {
    ...draft,
    from: sourceOf(draft, call),
    fields: (kept) => inSync(guard, () => draft.fields(kept)),
    omit: (dropped, cut, reason) => inSync(guard, () => draft.omit(dropped, cut, reason)),
  }
}

const copyOf = <T>(params: T): T => structuredClone(params)

/** Of a failure that nobody waits for, nobody need hear: it must not be the end of the process. */
function heard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** All promises of what may be an answer. */
function hearAll(given: unknown): void {
  if (!isRecord(given)) return
  for (const part of [given.blocks, given.omitted].flat()) void heard(Promise.resolve(part))
}

/** @throws ServiceError; what `wanted` was aborted with, once nobody waits */
async function inTime<T>(guard: Guard, time: Time, work: () => Promise<T>): Promise<T> {
  try {
    return await abortable(heard(work()), time.signal)
  } catch (error) {
    time.wanted.throwIfAborted()
    throw time.limit.aborted ? tooSlow(guard, error) : problemOf(guard, error)
  }
}

/** @throws ServiceError */
function inSync<T>(guard: Guard, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw problemOf(guard, error)
  }
}

function tooSlow({ onFailure, timeoutMs, type }: Guard, cause: unknown): ServiceError {
  const detail = `The source of ${type} did not answer in ${timeoutMs / 1000} s. Try again later.`
  onFailure(type, cause)
  return new ServiceError('provider_timeout', detail, { cause })
}

/** What a provider may say to callers it says as a `ServiceError`; all else is for the operator. */
function problemOf({ onFailure, type }: Guard, error: unknown): ServiceError {
  const said = saidBy(error)
  if (said) return said
  onFailure(type, error)
  const detail = `The source of ${type} failed. Try again later, or report the request id to the operator.`
  return new ServiceError('provider_error', detail, { cause: error })
}

/** Told by its form: a module may have the class from another copy of the service. */
function saidBy(error: unknown): ServiceError | undefined {
  if (!(error instanceof Error) || error.name !== 'ServiceError') return undefined
  const { code, detail, errors, retryAfter } = error as Partial<ServiceError>
  if (typeof code !== 'string' || !Object.hasOwn(problems, code) || NOT_THEIRS.has(code))
    return undefined
  if (error instanceof ServiceError) return error
  return new ServiceError(code, String(detail).slice(0, LONGEST_DETAIL), {
    ...(Array.isArray(errors) && { errors }),
    ...(Number.isFinite(retryAfter) && { retryAfter: Math.max(0, Number(retryAfter)) }),
    cause: error,
  })
}

function strings(given: unknown): string[] {
  if (Array.isArray(given) && given.every((tag) => typeof tag === 'string')) return given
  throw new TypeError('tags must answer an array of strings')
}

function stringOr(given: unknown): string | undefined {
  if (given === undefined || typeof given === 'string') return given
  throw new TypeError('account must answer a string or undefined')
}

function versionOf(given: unknown): string {
  if (typeof given === 'string' && given.length <= LONGEST_VERSION) return given
  throw new TypeError(`version must answer a string of at most ${LONGEST_VERSION} characters`)
}
