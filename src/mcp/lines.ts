import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Caller } from './caller.ts'
import { eraOf } from './protocol/era.ts'
import {
  errorResponse,
  idOf,
  isObject,
  type Message,
  type RequestId,
  type RpcError,
  type RpcRequest,
  readJson,
  readMessage,
} from './protocol/message.ts'
import type { McpServer } from './protocol/server.ts'

export interface LinesOptions {
  readonly server: McpServer
  readonly input: Readable
  readonly output: Writable
  /** A caller for each request; who started the process is the only one there is. */
  readonly caller: () => Caller
  /** Told at the end of the input: what only waits for events need wait no more. */
  readonly ended: () => void
}

/**
 * The protocol over lines of JSON (specification, "stdio"): for as long as there is input, and until
 * what was asked by then is answered.
 */
export async function serveLines({
  server,
  input,
  output,
  caller,
  ended,
}: LinesOptions): Promise<void> {
  const running = new Map<RequestId, AbortController>()
  const answers = new Set<Promise<void>>()

  function send(message: object): void {
    output.write(`${JSON.stringify(message)}\n`)
  }

  async function answer(request: RpcRequest): Promise<void> {
    const abort = new AbortController()
    running.set(request.id, abort)
    try {
      const call = { era: eraOf(request), caller: caller(), send, signal: () => abort.signal }
      const { body } = await server.answer(request, call)
      // Whoever cancels wants no answer (specification, "Cancellation").
      if (!abort.signal.aborted) output.write(`${body}\n`)
    } catch (error) {
      send(errorResponse(request.id, error as RpcError))
    } finally {
      running.delete(request.id)
    }
  }

  function take(message: Message): void {
    if (message.kind === 'request') {
      const answered = answer(message).finally(() => answers.delete(answered))
      answers.add(answered)
    } else if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
      running.get(message.params.requestId as RequestId)?.abort(new Error('Cancelled'))
    }
  }

  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue
    let value: unknown
    try {
      value = readJson(line)
      // Batches are of the revision 2025-03-26; their answers may come one by one.
      for (const one of Array.isArray(value) ? value : [value]) take(readMessage(one))
    } catch (error) {
      send(errorResponse(isObject(value) ? idOf(value) : null, error as RpcError))
    }
  }
  ended()
  await Promise.all(answers)
}
