import { Agent, fetch as send } from 'undici'

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
    const passedOn = PASSED_ON.flatMap((name) => {
      const value = given.get(name)
      return value === null ? [] : [[name, value]]
    })
    const answer = await send(url, {
      method: init.method ?? 'POST',
      headers: { ...own, ...Object.fromEntries(passedOn) },
      body: init.body as string,
      signal: init.signal ?? null,
      redirect: 'manual',
      dispatcher,
    }).catch((cause: unknown) => {
      throw broken(codeOf(cause))
    })
    if (answer.ok && !answer.headers.get('content-type')?.startsWith('text/event-stream')) {
      await answer.body?.cancel()
      throw broken(NOT_A_STREAM)
    }
    // undici's own Response has all that the SDKs use of the platform's.
    return answer as unknown as Response
  }

  return {
    fetch: (url, init = {}) => exchange(String(url), init),
    close: () => dispatcher.destroy(),
  }
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
