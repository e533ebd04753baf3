import { ServiceError } from '../core/errors.ts'
import type { Span } from '../core/trace.ts'
import type { Provider } from './failures.ts'
import type { ModelAdapter, ModelEnd, ModelEvent, ModelRequest, ModelUsage } from './model.ts'
import { type Persistence, persist } from './persist.ts'
import { closeReply, openReply } from './replySpan.ts'

/** What became of one reply, for metrics. */
export interface ReplyReport {
  readonly provider: string
  /** A name out of a closed set, as callers name models as they like. */
  readonly model: string
  /** `ok`, `aborted`, or a problem's code. */
  readonly outcome: string
  /** Milliseconds. */
  readonly duration: number
  /** Milliseconds until the first token; undefined where none came. */
  readonly firstToken: number | undefined
  readonly retries: number
  /** Undefined for a reply that is not whole. */
  readonly usage: ModelUsage | undefined
}

/** One wire protocol: a single call, without retries, deadlines or words for the caller. */
export interface Wire {
  readonly provider: Provider
  readonly defaultModel: string | undefined
  contextWindow(model: string): number
  /** Name of the model's family, out of a closed set. */
  family(model: string): string | undefined
  /** Ends without `end` where the stream ends too soon. @throws what the SDK throws */
  attempt(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>
}

export interface Runtime extends Omit<Persistence, 'onRetry'> {
  readonly onReply: (report: ReplyReport) => void
}

/** The wire with all that a caller relies on. */
export function createAdapter(wire: Wire, runtime: Runtime): ModelAdapter {
  return {
    provider: wire.provider.name,
    defaultModel: wire.defaultModel,
    contextWindow: (model) => wire.contextWindow(model),
    reply: (request, signal, span) => reply(wire, runtime, request, signal, span),
  }
}

async function* reply(
  wire: Wire,
  { onReply, ...persistence }: Runtime,
  request: ModelRequest,
  signal: AbortSignal,
  parent: Span | undefined,
): AsyncGenerator<ModelEvent> {
  const span = openReply(parent, wire.provider.name, request)
  const started = performance.now()
  const elapsed = () => performance.now() - started
  // What it is if the caller leaves before the end.
  let outcome = 'aborted'
  let firstToken: number | undefined
  let end: ModelEnd | undefined
  let retries = 0
  const onRetry = () => {
    retries += 1
  }
  try {
    const attempt = (either: AbortSignal) => wire.attempt(request, either)
    const events = persist(wire.provider, attempt, signal, { ...persistence, onRetry })
    for await (const event of events) {
      if (event.type === 'text') {
        firstToken ??= elapsed()
      } else {
        outcome = 'ok'
        end = event
      }
      yield event
    }
  } catch (error) {
    if (!signal.aborted) outcome = error instanceof ServiceError ? error.code : 'internal_error'
    throw error
  } finally {
    const model = wire.family(request.model) ?? 'other'
    const provider = wire.provider.name
    onReply({
      provider,
      model,
      outcome,
      duration: elapsed(),
      firstToken,
      retries,
      usage: end?.usage,
    })
    closeReply(span, outcome, retries, end)
  }
}
