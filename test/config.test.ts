import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readConfig } from '../src/config.ts'
import { Environment } from '../src/variables.ts'

type Env = Record<string, string>
const read = (env: Env = {}) => readConfig({ NODE_ENV: 'production', ...env })

function faultsOf(env: Env): readonly string[] {
  try {
    read(env)
  } catch (error) {
    if (error instanceof Error && 'faults' in error) return error.faults as string[]
    throw error
  }
  return []
}

describe('defaults', () => {
  it('are those of the contract', () => {
    expect(read()).toMatchObject({
      HOST: '127.0.0.1',
      PORT: 3000,
      GITHUB_API_URL: 'https://api.github.com',
      GITHUB_TIMEOUT_MS: 10_000,
      GITHUB_CONNECTIONS: 32,
      CACHE_MAX_BYTES: 134_217_728,
      RATE_LIMIT_MAX: 600,
      RATE_LIMIT_WINDOW_MS: 60_000,
      LOG_LEVEL: 'info',
      TRUST_PROXY: false,
      ALLOWED_REPOS: [],
      API_KEYS: [],
      CORS_ORIGINS: [],
      GITHUB_DOWNLOAD_HOSTS: [],
    })
  })

  it('stand for what is empty too', () => {
    const empty = Object.fromEntries(Object.keys(Environment.properties).map((name) => [name, '']))
    expect(read(empty)).toEqual(read())
  })

  it('do not mind what else is in the environment', () => {
    expect(read({ PATH: '/bin', port: '1', GITHUB_REPOSITORY: 'o/r' })).toEqual(read())
  })

  it('are all described', () => {
    for (const [name, { description }] of Object.entries(Environment.properties))
      expect([name, description?.length ?? 0]).not.toEqual([name, 0])
  })
})

describe('values', () => {
  it('are read as what they mean', () => {
    expect(
      read({
        PORT: '8080',
        TRUST_PROXY: 'true',
        ALLOWED_REPOS: 'octocat/*, my-org/my.repo ,',
        API_KEYS: 'ann:0123456789abcdef,bob:with:colons-0123456789',
        CORS_ORIGINS: 'https://a.example,http://localhost:3001',
        GITHUB_DOWNLOAD_HOSTS: 'Logs.example, *.store.example:8443',
        GITHUB_API_URL: 'https://ghe.example/api/v3',
        REDIS_URL: 'rediss://user:pass@redis.example:6380/1',
        GITHUB_TOKEN: 'ghp_abc',
      }),
    ).toMatchObject({
      PORT: 8080,
      TRUST_PROXY: true,
      ALLOWED_REPOS: ['octocat/*', 'my-org/my.repo'],
      API_KEYS: [
        { name: 'ann', key: '0123456789abcdef' },
        { name: 'bob', key: 'with:colons-0123456789' },
      ],
      CORS_ORIGINS: ['https://a.example', 'http://localhost:3001'],
      GITHUB_DOWNLOAD_HOSTS: ['logs.example', '*.store.example:8443'],
      GITHUB_API_URL: 'https://ghe.example/api/v3',
      REDIS_URL: 'rediss://user:pass@redis.example:6380/1',
      GITHUB_TOKEN: 'ghp_abc',
    })
  })
})

describe('faults', () => {
  const SECRET = 'hunter2hunter2'
  it.each<[string, string, RegExp]>([
    ['PORT', `${SECRET}`, /whole number from 0 to 65535/],
    ['PORT', '65536', /from 0 to 65535/],
    ['PORT', '80.5', /whole number/],
    ['GITHUB_API_URL', `${SECRET}`, /form.*api\/v3/],
    ['GITHUB_API_URL', `ftp://${SECRET}`, /form/],
    ['GITHUB_API_URL', `https://host/api?token=${SECRET}`, /form/],
    ['GITHUB_TOKEN', `${SECRET} ${SECRET}`, /form/],
    ['GITHUB_TOKEN', `${SECRET}\n`, /form/],
    ['GITHUB_TIMEOUT_MS', '99', /from 100 to 120000/],
    ['GITHUB_CONNECTIONS', '0', /from 1 to 512/],
    ['REDIS_URL', `http://${SECRET}`, /form.*redis:/],
    ['CACHE_MAX_BYTES', '1000', /1048576 or more/],
    ['API_KEYS', SECRET, /name:key/],
    ['API_KEYS', `ann:${SECRET}`, /key of 16/],
    ['API_KEYS', `a n n:${SECRET}${SECRET}`, /name of letters/],
    ['AUTH', SECRET, /none or unset/],
    ['RATE_LIMIT_MAX', '0', /1 or more/],
    ['RATE_LIMIT_WINDOW_MS', '5', /1000 or more/],
    ['LOG_LEVEL', SECRET, /one of fatal, error, warn, info, debug, trace, silent/],
    ['TRUST_PROXY', SECRET, /true or false/],
    ['ALLOWED_REPOS', SECRET, /owner\/\* or owner\/repo/],
    ['ALLOWED_REPOS', `octocat/*, ${SECRET}/${SECRET}/x`, /owner\/\* or owner\/repo/],
    ['CORS_ORIGINS', `https://${SECRET}.example/path`, /origin/],
    ['CORS_ORIGINS', SECRET, /origin/],
    ['GITHUB_DOWNLOAD_HOSTS', `https://${SECRET}.example`, /host/],
    ['GITHUB_DOWNLOAD_HOSTS', '*.com', /host/],
    ['GITHUB_DOWNLOAD_HOSTS', '*', /host/],
  ])('%s=%s is one line that says what to set, without the value', (name, value, message) => {
    const [fault, ...more] = faultsOf({ [name]: value })
    expect(more).toEqual([])
    expect(fault).toMatch(message)
    expect(fault?.startsWith(`${name}: `)).toBe(true)
    expect(fault).not.toContain('\n')
    expect(fault).not.toContain(SECRET)
  })

  it('are one line for each variable, all at once', () => {
    const faults = faultsOf({
      PORT: 'x',
      LOG_LEVEL: 'loud',
      API_KEYS: 'short:1,alsoshort:2',
      TRUST_PROXY: 'maybe',
      CORS_ORIGINS: 'x,y',
    })
    expect(faults.map((fault) => fault.split(':', 1)[0]).sort()).toEqual([
      'API_KEYS',
      'CORS_ORIGINS',
      'LOG_LEVEL',
      'PORT',
      'TRUST_PROXY',
    ])
  })
})

describe('HOST', () => {
  it.each(['127.0.0.1', '127.8.9.10', '::1', 'localhost'])('%s needs no keys', (HOST) => {
    expect(read({ HOST }).HOST).toBe(HOST)
  })

  it.each(['0.0.0.0', '::', '192.168.1.5', 'example.com', '127.0.0.1.example.com'])(
    '%s needs keys, or the word that none are meant',
    (HOST) => {
      expect(faultsOf({ HOST })).toEqual([expect.stringMatching(/^HOST: .*API_KEYS.*AUTH=none/)])
      expect(read({ HOST, AUTH: 'none' }).HOST).toBe(HOST)
      expect(read({ HOST, API_KEYS: 'ann:0123456789abcdef' }).HOST).toBe(HOST)
    },
  )
})

describe('the headers of traces', () => {
  it('reads what is said of the service in traces, percent-decoded; its own name goes first', () => {
    const given = 'deployment.environment.name=staging, team=caf%C3%A9%2C%20two,service.name=theirs'
    const { OTEL_RESOURCE_ATTRIBUTES: attributes, OTEL_SERVICE_NAME: name } = read({
      OTEL_RESOURCE_ATTRIBUTES: given,
    })
    expect(attributes).toEqual([
      ['deployment.environment.name', 'staging'],
      ['team', 'café, two'],
      ['service.name', 'theirs'],
    ])
    expect(name).toBe('theirs')
    const own = read({ OTEL_RESOURCE_ATTRIBUTES: given, OTEL_SERVICE_NAME: 'ours' })
    expect(own.OTEL_SERVICE_NAME).toBe('ours')
    expect(read({}).OTEL_SERVICE_NAME).toBe('github-context-service')
    for (const entry of ['no value', 'a b=c', 'x=%E0%A4%A'])
      expect(faultsOf({ OTEL_RESOURCE_ATTRIBUTES: `ok=1,${entry}` })).toEqual([
        expect.stringMatching(/^OTEL_RESOURCE_ATTRIBUTES: entry 2 is not/),
      ])
  })

  it('are names and values, percent-encoded', () => {
    const { OTEL_EXPORTER_OTLP_HEADERS: headers } = read({
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20eDp5, x-team=a=b,',
    })
    expect(headers).toEqual([
      ['authorization', 'Basic eDp5'],
      ['x-team', 'a=b'],
    ])
  })

  it.each(['hunter2', 'a b=c', 'a=%', 'a=b%0Ac', '=c'])(
    'refuses %j without repeating it',
    (entry) => {
      const faults = faultsOf({ OTEL_EXPORTER_OTLP_HEADERS: `ok=1,${entry}` })
      expect(faults).toEqual([expect.stringMatching(/^OTEL_EXPORTER_OTLP_HEADERS: entry 2 is not/)])
      expect(faults.join()).not.toContain('hunter2')
    },
  )

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ])('and %s cannot be %j', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name}: `))])
  })
})

describe('.env', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'env-'))
    vi.spyOn(process, 'cwd').mockReturnValue(folder)
  })
  afterEach(() => rm(folder, { recursive: true }))

  const write = (text: string) => writeFile(join(folder, '.env'), text)

  it('in the working folder counts, and the environment wins over it', async () => {
    await write('PORT=4000\nLOG_LEVEL=debug\nAPI_KEYS=ann:0123456789abcdef\n')
    const config = readConfig({ PORT: '5000' })
    expect(config).toMatchObject({ PORT: 5000, LOG_LEVEL: 'debug', API_KEYS: [{ name: 'ann' }] })
  })

  it('is not read in production', async () => {
    await write('PORT=4000\n')
    expect(readConfig({ NODE_ENV: 'production' }).PORT).toBe(3000)
  })

  it('may leave values empty, as a template does', async () => {
    await write('PORT=\nGITHUB_TOKEN=\nREDIS_URL=""\nAPI_KEYS=\nAUTH=\n')
    expect(readConfig({})).toEqual(read())
  })

  it('is checked like the environment', async () => {
    await write('PORT=abc\n')
    expect(() => readConfig({})).toThrow(/^PORT: /)
  })
})
