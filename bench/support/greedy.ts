import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { basename } from 'node:path'
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
  yieldToAll()
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const request = (index: number) => {
    const numbered = body.replace(NUMBER, `"issue_number":${first + (index % count)}`)
    const sized = head.replace(/content-length: \d+/, `content-length: ${numbered.length}`)
    return Buffer.from(`${sized}\r\n\r\n${numbered}`)
  }
  const onAnswer = () => void Atomics.add(answers, 0, 1)
  await saturate({ urls: [url], connections, ms, request, onAnswer })
}

/**
 * Whoever else wants the core has it at once (sched(7), SCHED_IDLE). Of two threads that differ in
 * niceness alone, who runs may end its slice of milliseconds first: who measures would wait for that.
 */
function yieldToAll(): void {
  const thread = basename(readlinkSync('/proc/thread-self'))
  const { status } = spawnSync('chrt', ['--idle', '--pid', '0', thread])
  if (status !== 0) throw new Error('chrt (of util-linux) is needed to let the flood yield')
}

if (!isMainThread) await flood(workerData as Given)
