import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { providers } from '../../src/context/registry.ts'
import { type App, startApp } from '../support/app.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'

interface Schema {
  readonly $ref?: string
  readonly const?: unknown
  readonly enum?: unknown[]
  readonly properties?: Record<string, Schema>
  readonly oneOf?: Schema[]
  readonly anyOf?: Schema[]
  readonly [keyword: string]: unknown
}
interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly parameters?: { name: string; in: string; required?: boolean }[]
  readonly requestBody?: {
    content: Record<string, { schema: Schema; examples?: Record<string, { value: unknown }> }>
  }
  readonly responses: Record<string, { description: string; content?: Record<string, unknown> }>
}
interface Document {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { schemas: Record<string, Schema> }
}

let github: GitHub
let app: App
let document: Document
beforeAll(async () => {
  github = await startGitHub()
  app = await startApp({ github })
  document = (await app.get('/openapi.json')).json()
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

const literalOf = (schema: Schema | undefined) => schema?.const ?? schema?.enum?.[0]

describe('GET /openapi.json', () => {
  it('is valid OpenAPI 3.1', async () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    const folder = await mkdtemp(join(tmpdir(), 'openapi-'))
    try {
      const file = join(folder, 'openapi.json')
      await writeFile(file, JSON.stringify(document))
      const linter = resolve('node_modules/@redocly/cli/bin/cli.js')
      const env = {
        ...process.env,
        REDOCLY_TELEMETRY: 'off',
        REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
      }
      const found = await promisify(execFile)(
        process.execPath,
        [linter, 'lint', '--extends=spec', '--format=json', file],
        { env, cwd: folder },
      ).catch((error: { stdout: string }) => error)
      const { problems } = JSON.parse(found.stdout) as { problems: { severity: string }[] }
      expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
    } finally {
      await rm(folder, { recursive: true })
    }
  }, 60_000)

  it('names one request and one block schema for each type, told apart by their literals', () => {
    const { schemas } = document.components
    for (const { type, blockType } of providers) {
      expect(literalOf(schemas[type]?.properties?.context_type)).toBe(type)
      expect(literalOf(schemas[`${blockType}_block`]?.properties?.type)).toBe(blockType)
    }
    expect(Object.keys(schemas)).toEqual(expect.arrayContaining(['Problem', 'Omission']))
    expect(Object.keys(schemas).filter((name) => /^def-\d+$/.test(name))).toEqual([])
  })

  it('lets the body be one of them, with an example of each', () => {
    const body = document.paths['/mcp/context']?.post?.requestBody?.content['application/json']
    expect(body?.schema.oneOf?.map(({ $ref }) => $ref)).toEqual(
      providers.map(({ type }) => `#/components/schemas/${type}`),
    )
    expect(body?.schema.discriminator).toMatchObject({ propertyName: 'context_type' })
    expect(Object.keys(body?.examples ?? {})).toEqual(providers.map(({ type }) => type))
  })

  it('describes what is really routed, each operation with its own name', () => {
    const found = operations()
    expect(found.map(({ method, path }) => `${method} ${path}`)).toEqual(
      expect.arrayContaining([
        'post /mcp/context',
        'get /mcp/context',
        ...providers.map(({ type }) => `get /mcp/context/${type}`),
        'get /mcp/context-types',
        'get /health',
        'get /health/live',
        'get /health/ready',
        'get /metrics',
      ]),
    )
    const ids = found.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(found.length)
    expect(ids).not.toContain(undefined)
    expect(found.filter(({ operation }) => !operation.summary)).toEqual([])
  })

  it('says of every operation which problems it may answer with', () => {
    for (const { path, operation } of operations()) {
      const problems = Object.entries(operation.responses).filter(
        ([, { content }]) => content && 'application/problem+json' in content,
      )
      expect([path, problems.length]).not.toEqual([path, 0])
    }
    const statuses = Object.keys(document.paths['/mcp/context']?.post?.responses ?? {})
    expect(statuses).toEqual(
      expect.arrayContaining('200 304 400 401 403 404 406 413 415 429 500 502 503 504'.split(' ')),
    )
  })

  it('gives the query form the same params', () => {
    for (const { type, params } of providers) {
      const parameters = document.paths[`/mcp/context/${type}`]?.get?.parameters ?? []
      expect(parameters.map(({ name }) => name)).toEqual(
        expect.arrayContaining([
          ...Object.keys(params.properties),
          'max_tokens',
          'query',
          'max_age',
        ]),
      )
      const required = parameters.filter((parameter) => parameter.required)
      expect(required.map(({ name }) => name)).toEqual(params.required ?? [])
    }
  })

  it('has examples that answer 200 when they are sent as they are', async () => {
    const examples = Object.values(
      document.paths['/mcp/context']?.post?.requestBody?.content['application/json']?.examples ??
        {},
    )
    expect(examples.length).toBe(providers.length)
    await using credentialed = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
    for (const { value } of examples) expect((await credentialed.post(value)).status).toBe(200)
  })

  it('is the same on every service', async () => {
    await using other = await startApp({ github })
    expect((await other.get('/openapi.json')).json()).toEqual(document)
  })
})

describe('GET /docs', () => {
  it('shows the document on a page that loads nothing from elsewhere', async () => {
    const page = await app.get('/docs/')
    expect(page.status).toBe(200)
    expect(page.headers['content-type']).toContain('text/html')
    expect(page.headers['content-security-policy']).toMatch(
      /default-src 'none';.*script-src 'self'/,
    )
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '')
    expect(links.length).toBeGreaterThan(2)
    for (const link of links) {
      const { pathname, origin } = new URL(link, `${app.url}/docs/`)
      expect(origin).toBe(app.url)
      expect([pathname, (await app.get(pathname)).status]).toEqual([pathname, 200])
    }
  })
})
