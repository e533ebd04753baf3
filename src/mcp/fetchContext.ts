import type { Answered, Engine } from '../context/engine.ts'
import type { ContextRequest } from '../context/request/request.ts'
import { type Call, notification } from './protocol/methods.ts'

export interface FetchOptions {
  readonly engine: Engine
  /** Milliseconds between words of progress. */
  readonly progressEvery: number
}

/**
 * A context in the caller's name.
 * @throws ServiceError as the engine
 */
export async function fetchContext(
  { engine, progressEvery }: FetchOptions,
  request: ContextRequest,
  call: Call,
): Promise<Answered> {
  const { caller, signal } = call
  const { callerToken, meter, served, who } = caller
  const { type } = request.provider
  served(type)
  const answered = await withProgress(call, progressEvery, () =>
    engine.get(request, { callerToken, who, meter, signal }),
  )
  served(type, answered.outcome)
  return answered
}

/**
 * Tells a client that asked for it that the work goes on, for as long as it does
 * (specification, "Progress"). What is done sooner than `every` is not spoken of.
 */
async function withProgress<T>(
  { meta, send }: Call,
  every: number,
  work: () => Promise<T>,
): Promise<T> {
  const { progressToken } = meta
  if (!send || (typeof progressToken !== 'string' && typeof progressToken !== 'number'))
    return work()
  let progress = 0
  const timer = setInterval(() => {
    progress += 1
    const params = { progressToken, progress, message: 'Waiting for GitHub' }
    try {
      send(notification('notifications/progress', params))
    } catch {
      // Who may have no further stream waits without words.
      clearInterval(timer)
    }
  }, every)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

/** The text of all blocks of a serialised answer. */
export function textOf(body: Buffer): string {
  const { context } = JSON.parse(body.toString()) as { context: readonly { content: string }[] }
  return context.map(({ content }) => content).join('\n\n')
}
