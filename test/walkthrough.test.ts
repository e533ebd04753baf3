import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const PAGE = join(ROOT, 'docs/adding-a-context-type.md')
/** Where the page keeps what lies outside of the repository. */
const OUTSIDE = '/tmp/labels'
const ADDRESS = 'http://127.0.0.1:3000'

interface Block {
  readonly language: string
  /** A file, or what is special about a command. */
  readonly about: string
  readonly text: string
  readonly line: number
}

/** Every block of code of a page, in order. */
function blocksOf(markdown: string): Block[] {
  const found = markdown.matchAll(/^```(\w+)[ ]?(.*)\n([\s\S]*?)^```$/gm)
  return [...found].map(({ 1: language = '', 2: about = '', 3: text = '', index }) => ({
    language,
    about,
    text,
    line: markdown.slice(0, index).split('\n').length,
  }))
}

/** `curl` as the page uses it, where there may be none. */
const CURL = `#!/usr/bin/env node
const headers = {}
let url
for (let args = process.argv.slice(2), arg; (arg = args.shift()) !== undefined; ) {
  if (arg === '-H') { const [name, value] = args.shift().split(': '); headers[name] = value }
  else if (arg !== '-s') url = arg
}
const response = await fetch(url, { headers })
process.stdout.write(await response.text())
process.exitCode = response.ok ? 0 : 22
`

interface Place extends AsyncDisposable {
  readonly repository: string
  /** The page's text as it holds here. */
  here(text: string): string
  readonly env: Record<string, string>
}

/** A copy of the repository to work in, as its reader would. */
async function copyRepository(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'walkthrough-'))
  const repository = join(folder, 'service')
  const outside = join(folder, 'labels')
  const bin = join(folder, 'bin')
  await mkdir(outside)
  await mkdir(bin)
  await mkdir(repository)
  const copied = ['src', 'test', 'docs', 'docker', 'scripts', 'openapi', 'bench', 'package.json']
  const files = ['tsconfig.json', 'vitest.config.ts', 'README.md', 'SECURITY.md', ...copied]
  for (const name of files)
    await cp(join(ROOT, name), join(repository, name), { recursive: true, force: true })
  await symlink(join(ROOT, 'node_modules'), join(repository, 'node_modules'))
  await writeFile(join(bin, 'curl'), CURL, { mode: 0o755 })
  await writeFile(join(bin, 'package.json'), '{"type":"module"}')
  const port = await freePort()
  const path = [bin, join(ROOT, 'node_modules/.bin'), process.env.PATH].join(':')
  return {
    repository,
    here: (text) =>
      text.replaceAll(OUTSIDE, outside).replaceAll(ADDRESS, `http://127.0.0.1:${port}`),
    env: { PATH: path, PORT: String(port), SERVICE: repository, HOME: folder, CI: 'true' },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}

describe('docs/adding-a-context-type.md', () => {
  let place: Place
  let blocks: Block[]
  let service: ChildProcess | undefined
  beforeAll(async () => {
    place = await copyRepository()
    blocks = blocksOf(await readFile(PAGE, 'utf8'))
  })
  afterAll(async () => {
    await stop()
    await place[Symbol.asyncDispose]()
  })

  async function stop(): Promise<void> {
    if (!service?.pid) return
    const exited = once(service, 'exit')
    // The shell, npm and the service.
    process.kill(-service.pid, 'SIGKILL')
    await exited
    service = undefined
  }

  /** Runs a command until it says where the service is. */
  async function start(command: string): Promise<void> {
    await stop()
    const { env, repository } = place
    const child = spawn('sh', ['-c', command], { cwd: repository, env, detached: true })
    service = child
    let output = ''
    await new Promise<void>((listening, failed) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text
          if (output.includes('/docs\n')) listening()
        })
      }
      child.once('exit', (code) => failed(new Error(`${command} ended with ${code}: ${output}`)))
    })
  }

  const run = (command: string) => {
    const { env, repository } = place
    return promisify(execFile)('sh', ['-ec', command], { cwd: repository, env })
  }

  const write = async ({ about, text }: Block) => {
    const path = resolve(place.repository, place.here(about))
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, place.here(text))
  }

  /** The import below the others, the entry at the end of the list. */
  const patch = async ({ about, text }: Block) => {
    const path = join(place.repository, about)
    const [importLine, entry, ...more] = text
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(1))
    expect(more).toEqual([])
    const source = await readFile(path, 'utf8')
    const changed = source
      .replace(/(?<=\n)\n/, `${importLine}\n\n`)
      .replace(/\n\]\n/, `\n${entry}\n]\n`)
    expect(changed).toContain(`${entry}\n]`)
    expect(changed).toContain(`${importLine}\n\n`)
    await writeFile(path, changed)
  }

  it('has nothing in it that is not tried', () => {
    expect(blocks.length).toBeGreaterThan(20)
    const kinds = new Set(blocks.map(({ language }) => language))
    expect([...kinds].toSorted()).toEqual(['diff', 'json', 'sh', 'text', 'ts'])
    for (const { about, language, line } of blocks) {
      const isFile = ['diff', 'json', 'ts'].includes(language)
      expect([line, isFile]).toEqual([line, about.includes('/')])
    }
  })

  it('does what it says, step by step', async () => {
    let said = ''
    for (const block of blocks) {
      const text = place.here(block.text)
      if (block.language === 'ts' || block.language === 'json') await write(block)
      else if (block.language === 'diff') await patch(block)
      else if (block.language === 'text') expect([block.line, said]).toEqual([block.line, text])
      else if (block.about === 'start') await start(text)
      else if (block.about === 'fails') {
        await stop()
        const { code, stderr } = await run(text).then(
          () => ({ code: 0, stderr: '' }),
          (error: { code: number; stderr: string }) => error,
        )
        expect([block.line, code]).toEqual([block.line, 1])
        said = stderr
          .split('\n')
          .filter((line) => line.startsWith('Configuration: '))
          .join('\n')
        said += '\n'
      } else {
        const { stdout } = await run(text).catch((error: Error & { stdout: string }) => {
          throw new Error(`line ${block.line}: ${error.message}\n${error.stdout}`)
        })
        said = stdout
      }
    }
    // What it says to write into the repository compiles.
    await run('tsc --noEmit -p .')
  }, 300_000)
})
