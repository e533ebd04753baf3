import { Agent, type Dispatcher } from 'undici'

export interface TransportOptions {
  /** Milliseconds until the headers of an answer must be there, and between two pieces of its body. */
  readonly timeoutMs: number
  readonly userAgent: string
}

/** How the SDKs reach the providers. */
export interface Transport {
  readonly fetch: typeof globalThis.fetch
  /** Breaks off what still runs. */
  close(): Promise<void>
}

/** Sockets to one provider at most; each reply holds one from start to end. */
const CONNECTIONS = 256
/** Milliseconds. */
const CONNECT_TIMEOUT = 5_000
/** Bytes of one answer: far more than any reply, so that a server gone mad is stopped. */
const MAX_RESPONSE_BYTES = 32 * 1024 * 1024
/** What an answer that is no stream of events fails with. */
export const NOT_A_STREAM = 'NOT_A_STREAM'

/**
 * All that may go out of what an SDK wants to send: the SDKs also add headers out of environment
 * variables (`ANTHROPIC_CUSTOM_HEADERS`, `OPENAI_CUSTOM_HEADERS`) and facts about this machine.
 */
const PASSED_ON = ['authorization', 'anthropic-version']

/**
 * One pool for all providers. Redirects are not followed, as they would take a prompt to another
 * host. Compression is declined, as compressors hold back the tokens until they have enough of them.
 */
export function createTransport({ timeoutMs, userAgent }: TransportOptions): Transport {
  const dispatcher = new Agent({
    connections: CONNECTIONS,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: CONNECT_TIMEOUT },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: 30_000,
    maxResponseSize: MAX_RESPONSE_BYTES,
  })
  const own = {
    accept: 'text/event-stream, application/json',
    'accept-encoding': 'identity',
    'content-type': 'application/json',
    'user-agent': userAgent,
  }

  async function exchange(url: string, init: RequestInit): Promise<Response> {
    const given = new Headers(init.headers)
    const headers: Record<string, string> = { ...own }
    for (const name of PASSED_ON) {
      const value = given.get(name)
      if (value !== null) headers[name] = value
    }
    const { origin, pathname, search } = new URL(url)
    const request = { origin, path: pathname + search, method: 'POST', headers } as const
    const answer = await dispatcher
      .request({ ...request, body: init.body as string, signal: init.signal ?? null })
      .catch((cause: unknown) => {
        throw broken(codeOf(cause))
      })
    // Whoever reads it is told; where nobody reads any more, it would end the process.
    answer.body.on('error', () => {})
    const isStream = String(answer.headers['content-type']).startsWith('text/event-stream')
    if (answer.statusCode === 200 && !isStream) {
      answer.body.destroy()
      throw broken(NOT_A_STREAM)
    }
    return responseOf(answer)
  }

  return {
    fetch: (url, init = {}) => exchange(String(url), init),
    close: () => dispatcher.destroy(),
  }
}

/** As the SDKs read it. */
function responseOf({ body, headers, statusCode }: Dispatcher.ResponseData): Response {
  const chunks = body[Symbol.asyncIterator]()
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: () => release(body, chunks),
    },
    // Nothing is read before it is asked for, so that a slow caller slows down the model.
    { highWaterMark: 0 },
  )
  const pairs = Object.entries(headers).flatMap(([name, value = []]) =>
    [value].flat().map((each): [string, string] => [name, each]),
  )
  return new Response(stream, { status: statusCode, headers: pairs })
}

/** Milliseconds that the rest of an answer may take. */
const REST = 1_000

/**
 * Reads what is left, so that the connection can be used again: the SDK of OpenAI reads no further
 * than `[DONE]`, which is not yet the end. Nobody waits for it. Of an aborted call nothing is left.
 */
function release(body: Dispatcher.ResponseData['body'], chunks: AsyncIterator<unknown>): void {
  const timer = setTimeout(() => body.destroy(), REST)
  const drain = async () => {
    for (let rest = await chunks.next(); !rest.done; ) rest = await chunks.next()
  }
  drain()
    .catch(() => {})
    .finally(() => clearTimeout(timer))
}

/**
 * In words that the SDKs do not take for a timeout: those they would replace by an error of their
 * own, without the code.
 */
function broken(code: string): Error {
  return Object.assign(new Error('The exchange broke'), { code })
}

/** The code of the error that caused the others, as Node and undici name it. */
export function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return ''
  if ('code' in cause && typeof cause.code === 'string') return cause.code
  return codeOf(cause.cause)
}
