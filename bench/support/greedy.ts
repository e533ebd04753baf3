import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { saturate } from './load.ts'

/**
 * A caller who sends without end, in a thread of its own that runs when nobody else wants the core:
 * it must not slow down who measures.
 */
export interface GreedyOptions {
  readonly url: string
  readonly connections: number
  readonly ms: number
  /** The request with the number 0 in it, and the numbers that it may have, by turns. */
  readonly text: string
  readonly first: number
  readonly count: number
}

export interface Greedy extends AsyncDisposable {
  /** Answers so far. */
  readonly answers: () => number
}

/** What stands for the number in `text`. */
export const NUMBER = '"issue_number":0'

interface Given extends GreedyOptions {
  readonly answers: Int32Array
}

export function startGreedy(options: GreedyOptions): Greedy {
  const answers = new Int32Array(new SharedArrayBuffer(4))
  const data: Given = { ...options, answers }
  const worker = new Worker(new URL(import.meta.url), { workerData: data })
  const ended = once(worker, 'exit')
  return {
    answers: () => Atomics.load(answers, 0),
    [Symbol.asyncDispose]: async () => void (await ended),
  }
}

async function flood({ answers, connections, count, first, ms, text, url }: Given): Promise<void> {
  // Of this thread alone (Linux, setpriority(2)).
  setPriority(0, constants.priority.PRIORITY_LOW)
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const request = (index: number) => {
    const numbered = body.replace(NUMBER, `"issue_number":${first + (index % count)}`)
    const sized = head.replace(/content-length: \d+/, `content-length: ${numbered.length}`)
    return Buffer.from(`${sized}\r\n\r\n${numbered}`)
  }
  const onAnswer = () => void Atomics.add(answers, 0, 1)
  await saturate({ urls: [url], connections, ms, request, onAnswer })
}

if (!isMainThread) await flood(workerData as Given)
