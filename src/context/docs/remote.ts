import { Worker } from 'node:worker_threads'
import { type ProblemCode, ServiceError } from '../../core/errors.ts'
import type { Ask, Found, Sections } from './sections.ts'

/** A call; without `ask` it is for the version. */
export interface Request {
  readonly id: number
  readonly ask?: Ask | undefined
}

export interface Reply {
  readonly id: number
  readonly value?: string | Found
  readonly failure?:
    | { readonly code: ProblemCode; readonly detail: string }
    | { readonly message: string }
}

export interface RemoteOptions {
  /** Told why the thread ended, or what it failed in. */
  readonly onFailure: (error: unknown) => void
}

export interface RemoteSections extends Sections {
  close(): Promise<void>
}

/** Megabytes: a folder that needs more is no danger to the service. */
const MOST_MEMORY = 512
/** Milliseconds after which a thread that ended is tried again. */
const PAUSE = 30_000

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/** The index of a folder on a thread of its own, which starts with the first call. */
export function createRemoteSections(dir: string, { onFailure }: RemoteOptions): RemoteSections {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let nextId = 0
  let notBefore = 0

  function start(): Worker {
    const url = new URL('./worker.ts', import.meta.url)
    const resourceLimits = { maxOldGenerationSizeMb: MOST_MEMORY }
    const started = new Worker(url, { workerData: dir, resourceLimits })
    started.on('message', settle)
    started.on('error', (error) => end(started, error))
    started.on('exit', (code) =>
      end(started, new Error(`the index of documents ended with ${code}`)),
    )
    // What it holds is of use to this process only.
    started.unref()
    return started
  }

  function settle({ failure, id, value }: Reply): void {
    const { reject, resolve } = waiting.get(id) ?? {}
    waiting.delete(id)
    if (!failure) resolve?.(value as never)
    else if ('code' in failure) reject?.(new ServiceError(failure.code, failure.detail))
    else {
      onFailure(new Error(failure.message))
      reject?.(unavailable())
    }
  }

  function end(ended: Worker, error: unknown): void {
    if (worker !== ended) return
    worker = undefined
    notBefore = performance.now() + PAUSE
    onFailure(error)
    giveUp()
  }

  function giveUp(): void {
    for (const { reject } of waiting.values()) reject(unavailable())
    waiting.clear()
  }

  function call<T>(ask?: Ask): Promise<T> {
    if (!worker && performance.now() < notBefore) return Promise.reject(unavailable())
    worker ??= start()
    nextId += 1
    const id = nextId
    const { promise, reject, resolve } = Promise.withResolvers<T>()
    waiting.set(id, { resolve, reject })
    worker.postMessage({ id, ask } satisfies Request)
    return promise
  }

  return {
    version: () => call<string>(),
    search: (ask) => call<Found>(ask),
    async close() {
      const running = worker
      worker = undefined
      giveUp()
      await running?.terminate()
    },
  }
}

function unavailable(): ServiceError {
  const detail = 'The index of the documents failed. Try again later; docs_page works without it.'
  return new ServiceError('provider_error', detail, { retryAfter: PAUSE / 1000 })
}
