import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { all, copiesOf, type Instruction, type Stage } from './dockerfile.ts'

const CONTEXT = join(import.meta.dirname, '../..')

export interface Image extends AsyncDisposable {
  /** What is `/` in the image. */
  readonly root: string
  /** Starts a command of the image (`node` is the one that runs the tests) with no environment but `env`. */
  start(command: readonly string[], env: Readonly<Record<string, string>>): Running
}

export interface Running extends AsyncDisposable {
  /** Resolves with where it says that it listens. */
  readonly url: Promise<string>
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>
  terminate(): void
}

/** Does what the stages' COPY and RUN say, in a folder for each stage, as no container is at hand. */
export async function buildImage(stages: readonly Stage[]): Promise<Image> {
  const folder = await mkdtemp(join(tmpdir(), 'image-'))
  const rootOf = (stage: Stage) => join(folder, String(stages.indexOf(stage)))
  const workdirOf = (stage: Stage) => join(rootOf(stage), all(stage, 'WORKDIR').at(-1)?.text ?? '/')

  async function copy(stage: Stage, instruction: Instruction) {
    const { from, sources, target } = copiesOf(instruction)
    const origin = stages.find(({ name }) => from !== undefined && name === from)
    for (const source of sources) {
      const path = join(origin ? rootOf(origin) : CONTEXT, source)
      const isFolder = (await stat(path)).isDirectory()
      const to = join(workdirOf(stage), target, isFolder ? '' : basename(source))
      await cp(path, to, { recursive: true, verbatimSymlinks: true })
    }
  }

  for (const stage of stages) {
    await mkdir(workdirOf(stage), { recursive: true })
    for (const instruction of stage.instructions) {
      if (instruction.keyword === 'COPY') await copy(stage, instruction)
      if (instruction.keyword === 'RUN') await run(instruction.text, workdirOf(stage))
    }
  }
  const last = stages.at(-1) as Stage
  return {
    root: rootOf(last),
    start: (command, env) => start(command, env, workdirOf(last)),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Without npm's own variables, which would lead it back to the repository. */
async function run(command: string, cwd: string): Promise<void> {
  const clean = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_ENV$)/i.test(name))
  const env = { ...Object.fromEntries(clean), npm_config_prefer_offline: 'true' }
  await promisify(execFile)('sh', ['-c', command], { cwd, env, maxBuffer: 2 ** 26 })
}

function start(
  [program, ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Running {
  if (program !== 'node') throw new Error(`The image has node only, not ${program}`)
  const child = spawn(process.execPath, args, { cwd, env, stdio: 'pipe' })
  const { promise: url, resolve, reject } = Promise.withResolvers<string>()
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const found = / listens on (http:\/\/[^\s;]+)/.exec(output)?.[1]
      if (found) resolve(found)
    })
  }
  const exited = once(child, 'close').then(([code, signal]) => code ?? signal)
  exited.then((code) => reject(new Error(`ended with ${code}: ${output}`)))
  url.catch(() => {})
  return {
    url,
    exited,
    terminate: () => void child.kill('SIGTERM'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
