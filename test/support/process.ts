import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const MAIN = resolve(ROOT, 'src/main.ts')

export interface ProcessOptions {
  env?: Readonly<Record<string, string>>
  /** Where `.env` is looked for; a folder without one unless given. */
  cwd?: string
  /** By `npm start`, as the README says, instead of the file itself. */
  byNpm?: boolean
  /** Of Node; not with `byNpm`. */
  flags?: readonly string[]
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Service extends AsyncDisposable {
  readonly pid: number | undefined
  readonly stdout: string
  readonly stderr: string
  readonly exited: Promise<Exit>
  /** Where it says that it listens; rejected with what it said instead when it ends before. */
  readonly url: Promise<string>
  signal(name: NodeJS.Signals): void
}

/** That a machine is busy with other things shall not make it refuse. */
const PATIENT = { MAX_EVENT_LOOP_DELAY_MS: '60000' }

/** The real `node src/main.ts`, with no environment but `env`, and patient. It is killed on disposal. */
export function startProcess({
  env = {},
  cwd = import.meta.dirname,
  byNpm = false,
  flags = [],
}: ProcessOptions = {}): Service {
  const child = byNpm
    ? spawn('npm', ['start'], {
        cwd: ROOT,
        env: { PATH: process.env.PATH, ...PATIENT, ...env },
        stdio: 'pipe',
      })
    : spawn(process.execPath, [...flags, MAIN], { cwd, env: { ...PATIENT, ...env }, stdio: 'pipe' })
  const output = { stdout: '', stderr: '' }
  const { promise: url, resolve: listens, reject } = Promise.withResolvers<string>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      const found = /listens on (http:\/\/[^;\s]+)/.exec(output.stdout)?.[1]
      if (found) listens(found)
    })
  }
  const exited = exitOf(child)
  void exited.then(({ code }) => reject(new Error(`ended with ${code}: ${output.stderr}`)))
  // Whoever waits for the end only does not ask for the address.
  url.catch(() => {})
  return {
    pid: child.pid,
    get stdout() {
      return output.stdout
    },
    get stderr() {
      return output.stderr
    },
    exited,
    url,
    signal: (name) => void child.kill(name),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** After `close` all output has been read. */
async function exitOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = await once(child, 'close')
  return { code, signal }
}
