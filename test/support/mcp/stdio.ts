import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Rpc } from './client.ts'

export const STDIO = resolve(import.meta.dirname, '../../../src/stdio.ts')

export interface StdioProcess extends AsyncDisposable {
  /** All that it wrote to stdout, by lines. */
  readonly lines: readonly string[]
  readonly stderr: string
  readonly exited: Promise<number | null>
  /** Sends as it is, or as JSON. */
  write(message: string | object): void
  /** The first message that fits, read so far or later. */
  read(fits: (message: Message) => boolean): Promise<Message>
  /** Ends its input. */
  end(): void
  signal(name: NodeJS.Signals): void
}

export type Message = Rpc & {
  readonly method?: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever the notification holds
  readonly params?: any
}

/** The real `node src/stdio.ts`, or another command of it, with no environment but `env`. */
export function startStdio(
  env: Readonly<Record<string, string>>,
  command: readonly string[] = [process.execPath, STDIO],
  cwd = import.meta.dirname,
): StdioProcess {
  const [program = '', ...args] = command
  const child = spawn(program, args, { cwd, env: { NODE_ENV: 'production', ...env } })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const look of waiting) look()
  })
  const exited = once(child, 'close').then(([code]) => code as number | null)
  return {
    lines,
    get stderr() {
      return stderr
    },
    exited,
    write(message) {
      const text = typeof message === 'string' ? message : JSON.stringify(message)
      child.stdin.write(`${text}\n`)
    },
    read(fits) {
      return new Promise((found, failed) => {
        const look = () => {
          const message = lines.map((line) => JSON.parse(line) as Message).find(fits)
          if (!message) return
          waiting.delete(look)
          found(message)
        }
        waiting.add(look)
        void exited.then((code) => failed(new Error(`ended with ${code}: ${stderr}`)))
        look()
      })
    },
    end: () => child.stdin.end(),
    signal: (name) => void child.kill(name),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
