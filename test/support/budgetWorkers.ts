import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Limits } from '../../src/github/budgetLimits.ts'

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
}

/** Replicas as real processes. */
export async function startWorkers(count: number, settings: WorkerSettings): Promise<Worker[]> {
  return Promise.all(Array.from({ length: count }, () => startWorker(settings)))
}

async function startWorker(settings: WorkerSettings): Promise<Worker> {
  const script = fileURLToPath(new URL('./budgetWorker.ts', import.meta.url))
  const child: ChildProcess = fork(script, [JSON.stringify(settings)], { execArgv: [] })
  const ended = once(child, 'exit')
  const message = async () => {
    const [said] = await Promise.race([
      once(child, 'message'),
      ended.then(([code]) => Promise.reject(new Error(`worker ended with ${code}`))),
    ])
    return said
  }
  ended.catch(() => {})
  await message()
  return {
    async run(job) {
      child.send(job)
      return (await message()) as Outcome
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
