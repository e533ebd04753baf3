import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Limits } from '../../src/github/budget/limits.ts'

export interface WorkerSettings {
  /** URLs. */
  readonly redis: string
  readonly github: string
  readonly token: string
  readonly limits: Limits
  readonly timeoutMs: number
  /** Makes what it fetches its own. */
  readonly run: string
}

export interface Job {
  readonly path: string
  /** Calls at most; it ends before when one is refused. */
  readonly calls: number
  /** Calls at once. */
  readonly lanes: number
}

export interface Outcome {
  readonly answers: number
  readonly refusals: readonly { readonly code: string; readonly retryAfter?: number }[]
}

export interface Worker extends AsyncDisposable {
  run(job: Job): Promise<Outcome>
  /** Until it has heard a message of other replicas that begins so. */
  hears(start: string): Promise<unknown>
}

/** What a worker says. */
export interface Message {
  readonly ready?: true
  readonly outcome?: Outcome
  readonly heard?: string
}

/** Replicas as real processes. */
export async function startWorkers(count: number, settings: WorkerSettings): Promise<Worker[]> {
  return Promise.all(Array.from({ length: count }, () => startWorker(settings)))
}

async function startWorker(settings: WorkerSettings): Promise<Worker> {
  const script = fileURLToPath(new URL('./budgetWorker.ts', import.meta.url))
  const child: ChildProcess = fork(script, [JSON.stringify(settings)], { execArgv: [] })
  const ended = once(child, 'exit')
  /** The first message from now on that has the field; for ever, if the process ends before. */
  const next = <K extends keyof Message>(field: K, start = '') =>
    new Promise<NonNullable<Message[K]>>((resolve) => {
      const hear = (message: Message) => {
        const found = message[field]
        if (found === undefined || (typeof found === 'string' && !found.startsWith(start))) return
        child.off('message', hear)
        resolve(found)
      }
      child.on('message', hear)
    })
  await next('ready')
  return {
    run(job) {
      child.send(job)
      return next('outcome')
    },
    hears: (start) => next('heard', start),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
