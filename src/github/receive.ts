import type { Dispatcher } from 'undici'
import type { Head } from './exchange.ts'

/** A whole answer, as it came. */
export interface Received extends Head {
  readonly bytes: Buffer
}

export interface ReceiveOptions extends Dispatcher.DispatchOptions {
  readonly signal: AbortSignal
  readonly onHead: (head: Head) => void
}

/**
 * One request and its whole answer. undici's `request` would make a stream of each answer; all that
 * hangs on it, nearly half of what a call allocates, outlives it until V8 looks through the whole
 * heap, and until then each collection copies it while everybody waits.
 * @throws undici's errors for a broken exchange; the signal's reason
 */
export function receive(
  dispatcher: Pick<Dispatcher, 'dispatch'>,
  { onHead, signal, ...request }: ReceiveOptions,
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let controller: Dispatcher.DispatchController | undefined
    let head: Head | undefined

    function fail(cause: unknown): void {
      signal.removeEventListener('abort', onAbort)
      reject(cause)
    }
    function onAbort(): void {
      controller?.abort(signal.reason)
      fail(signal.reason)
    }

    signal.throwIfAborted()
    signal.addEventListener('abort', onAbort, { once: true })
    dispatcher.dispatch(request, {
      onRequestStart(started) {
        controller = started
        // Who left while it waited for a connection has been told.
        if (signal.aborted) started.abort(signal.reason)
      },
      onResponseStart(_controller, status, headers) {
        // What comes before the answer (RFC 9110, section 15.2) is none.
        if (status < 200) return
        head = { status, headers }
        onHead(head)
      },
      onResponseData(_controller, chunk) {
        chunks.push(chunk)
      },
      onResponseEnd() {
        signal.removeEventListener('abort', onAbort)
        const [only, ...more] = chunks
        const bytes = only && more.length === 0 ? only : Buffer.concat(chunks)
        if (head) resolve({ ...head, bytes })
      },
      onResponseError: (_controller, cause) => fail(cause),
    })
  })
}
