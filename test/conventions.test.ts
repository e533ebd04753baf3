import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { type TObject, type TSchema, TypeGuard } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { describe, expect, it } from 'vitest'
import { providers } from '../src/context/registry.ts'
import { startApp } from './support/app.ts'
import { OCTOCAT_TOKEN, startGitHub } from './support/github/index.ts'

const named = providers.map((provider) => [provider.type, provider] as const)

describe('the registry', () => {
  it('names each type once', () => {
    expect(new Set(providers.map(({ type }) => type)).size).toBe(providers.length)
    expect(new Set(providers.map(({ uri }) => uri)).size).toBe(providers.length)
    expect(new Set(providers.map(({ title }) => title)).size).toBe(providers.length)
  })

  it('answers 200 to every example, with the block that the type promises', async () => {
    await using github = await startGitHub()
    await using app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
    for (const { type, blockType, block: schema, alsoBlocks, example } of providers) {
      const { context } = await app.context({ context_type: type, params: example })
      expect(context[0]?.type).toBe(blockType)
      // Below the first lines there is something to see.
      expect(context[0]?.content).toMatch(/\n\n./)
      for (const block of context) {
        const promised = block.type === blockType ? schema : alsoBlocks?.[block.type]
        const errors = promised && [...TypeCompiler.Compile(promised).Errors(block)]
        expect(errors?.map(({ path, message }) => `${block.type}${path} ${message}`)).toEqual([])
      }
    }
  })
})

describe.each(named)('%s', (type, provider) => {
  const params = Object.entries(provider.params.properties) as [string, TSchema][]

  it('has a name in snake case, a file and a test file of that name', () => {
    expect(type).toMatch(/^[a-z]+(_[a-z]+)*$/)
    expect(provider.blockType).toMatch(/^[a-z]+(_[a-z]+)*$/)
    expect(existsSync(`src/context/${type}.ts`)).toBe(true)
    expect(existsSync(`test/context/${type}.test.ts`)).toBe(true)
  })

  it('has a short title and description that end as they should', () => {
    expect(provider.title).toMatch(/^[A-Z].{2,48}[^.]$/)
    expect(provider.description).toMatch(/^[A-Z].{20,250}\.$/)
  })

  it('takes flat params, each in snake case and explained, and no others', () => {
    expect(provider.params.additionalProperties).toBe(false)
    for (const [name, schema] of params) {
      expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/)
      expect([name, schema.type === 'object']).toEqual([name, false])
      if (schema.type === 'array') expect(schema.items.type).toBe('string')
      const explained = schema.description ?? schema.anyOf
      expect([name, explained !== undefined]).toEqual([name, true])
    }
  })

  it('bounds every param', () => {
    for (const [name, schema] of params) {
      const bounded =
        schema.anyOf !== undefined ||
        schema.pattern !== undefined ||
        schema.maxLength !== undefined ||
        schema.maxItems !== undefined ||
        (schema.minimum !== undefined && schema.maximum !== undefined)
      expect([name, bounded]).toEqual([name, true])
    }
  })

  it('has defaults only where a param may be missing, and valid ones', () => {
    for (const [name, schema] of params.filter(([, { default: value }]) => value !== undefined)) {
      expect([name, provider.params.required?.includes(name) ?? false]).toEqual([name, false])
      expect([name, TypeCompiler.Compile(schema).Check(schema.default)]).toEqual([name, true])
    }
  })

  it('has an example that is valid', () => {
    expect(TypeCompiler.Compile(provider.params).Check(provider.example)).toBe(true)
  })

  it('has a URI of its own params that has all required ones', () => {
    const used = [...provider.uri.matchAll(/\{\+?(\w+)\}/g)].map(([, name]) => name ?? '')
    expect(provider.uri).toMatch(/^github:\/\/[\w{}/]*(?:\{\+\w+\}|\.\.\.\{\w+\})?$/)
    if (!provider.filtered) expect(provider.uri).toMatch(/^github:\/\/\{owner\}\/\{repo\}/)
    expect(used.filter((name) => !(name in provider.params.properties))).toEqual([])
    expect(used).toEqual(expect.arrayContaining(provider.params.required ?? []))
    for (const page of provider.pages ?? []) {
      const { uri, params } = typeof page === 'string' ? { uri: page, params: {} } : page
      expect(uri).toMatch(/^github:\/\/[\w{}/]+(?:\{\+\w+\})?(?:\?[\w{}=&]+)?(?:#[\w-]+\{\w+\})?$/)
      if (!provider.filtered) expect(uri).toMatch(/^github:\/\/\{owner\}\/\{repo\}/)
      const named = [...uri.matchAll(/\{\+?(\w+)\}/g)].map(([, name]) => name ?? '')
      const meant = [...named.filter((name) => name !== '_'), ...Object.keys(params)]
      const used = Object.values<string>(params).flatMap((form): string[] => [
        ...(form.match(/\w+(?=\})/g) ?? []),
      ])
      expect(used.filter((name) => !named.includes(name))).toEqual([])
      expect(
        meant.filter((name) => !(name in provider.params.properties) && !used.includes(name)),
      ).toEqual([])
      expect(meant).toEqual(expect.arrayContaining(provider.params.required ?? []))
    }
  })

  it('has blocks with what all blocks have', () => {
    const fields = Object.keys((provider.block as TObject).properties)
    expect(fields).toEqual(expect.arrayContaining(['id', 'title', 'url', 'content', 'tokens']))
    expect(TypeGuard.IsObject(provider.block)).toBe(true)
  })

  it('has cache times that make sense', () => {
    const { freshFor, staleFor, keepFor, toldFor = freshFor } = provider.cache
    expect(freshFor).toBeGreaterThanOrEqual(1)
    expect(freshFor).toBeLessThanOrEqual(600)
    expect(toldFor).toBeGreaterThanOrEqual(freshFor)
    expect(toldFor).toBeLessThanOrEqual(300 + freshFor)
    expect(staleFor).toBeGreaterThanOrEqual(freshFor)
    expect(keepFor).toBeGreaterThanOrEqual(freshFor + staleFor)
    expect(keepFor).toBeLessThanOrEqual(86_400)
  })

  it('can be invalidated: its tags name the repository in lower case', () => {
    const example = provider.example as Record<string, unknown>
    const tags = provider.tags({ ...example, owner: 'octo', repo: 'talk' } as never)
    if (!provider.filtered) expect(tags.length).toBeGreaterThan(0)
    for (const tag of tags) expect(tag).toMatch(/^\w+:octo\/talk(#\d+)?$/)
  })
})

/** Which folders a folder may know, besides itself. Files of no folder build and start the whole. */
const MAY_KNOW: Record<string, readonly string[]> = {
  core: [],
  cluster: ['metrics', 'startFault.ts'],
  redis: ['core'],
  github: ['core', 'redis'],
  cache: ['core', 'redis', 'github'],
  context: ['core', 'cache', 'github'],
  models: ['core'],
  tracing: ['core'],
  metrics: ['core', 'github', 'models'],
  sessions: ['core', 'redis', 'context', 'cache', 'models'],
  mcp: ['core', 'context', 'cache', 'sessions', 'config.ts', 'health.ts'],
  parts:
    'core redis cache github context sessions models mcp http tracing metrics config.ts health.ts package.ts'.split(
      ' ',
    ),
  http: 'core redis cache context sessions models mcp metrics config.ts health.ts'.split(' '),
}

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
)

function importsOf(file: string): Import[] {
  const text = readFileSync(join('src', file), 'utf8')
  const found = text.matchAll(/^(?:import|export)( type)?\b[^'"]*?['"](\.[^'"]+)['"]/gms)
  return [...found].map(([, typeOnly, target = '']) => ({
    from: file,
    to: normalize(join(dirname(file), target)),
    typeOnly: typeOnly !== undefined,
  }))
}

const imports = sources.flatMap(importsOf)
const folderOf = (file: string) => file.split('/')[0] ?? file

describe('the layers', () => {
  it('know only what is below them', () => {
    const wrong = imports.filter(({ from, to }) => {
      const [own, other] = [folderOf(from), folderOf(to)]
      return from.includes('/') && own !== other && !MAY_KNOW[own]?.includes(other)
    })
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
    expect(imports.length).toBeGreaterThan(100)
  })

  it('are all in the list', () => {
    const folders = new Set(sources.filter((file) => file.includes('/')).map(folderOf))
    expect([...folders].filter((folder) => !(folder in MAY_KNOW))).toEqual([])
  })

  it('keep providers away from all but the contract and their own kind', () => {
    const files = new Set(providers.map(({ type }) => `context/${type}.ts`))
    const reached = new Set(files)
    for (const file of reached) {
      for (const { to } of importsOf(file)) {
        expect([file, folderOf(to)]).toEqual([file, expect.stringMatching(/^(core|context)$/)])
        if (folderOf(to) === 'context') reached.add(to)
      }
    }
    expect(reached.size).toBeGreaterThan(files.size)
  })

  it('let context know GitHub’s client by its types alone', () => {
    const values = imports.filter(
      ({ from, to, typeOnly }) =>
        folderOf(from) === 'context' && folderOf(to) === 'github' && !typeOnly,
    )
    expect(values).toEqual([])
  })

  it('read the environment in one place', () => {
    const readers = sources.filter((file) =>
      /process\.env|from 'node:process'/.test(readFileSync(join('src', file), 'utf8')),
    )
    expect(readers.filter((file) => !['main.ts', 'stdio.ts', 'config.ts'].includes(file))).toEqual(
      [],
    )
  })

  it('assign no function to a property where they make it: V8 would make it old from the start', () => {
    const made =
      /^\s*\w+(?:\.\w+|\[[^\]]*\])+ (?:\?\?|\|\||&&)?= (?:async )?(?:function\b|\([^()]*\)(?:: [^=]+)? =>|\w+ =>)/
    const lines = sources.flatMap((file) =>
      readFileSync(join('src', file), 'utf8')
        .split('\n')
        .filter((line) => made.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    )
    expect(lines).toEqual([])
  })

  it('make the HTTP server in one place', () => {
    const makers = sources.filter((file) =>
      /\bFastify\(|\bfastify\(|createServer\(/.test(readFileSync(join('src', file), 'utf8')),
    )
    expect(makers).toEqual(['http/app.ts'])
  })
})

describe('SECURITY.md', () => {
  const text = readFileSync('SECURITY.md', 'utf8')
  const named = [...text.matchAll(/`((?:test|src|docs|docker)\/[\w./-]+)`/g)].map(
    ([, path]) => path,
  )
  const linked = [...text.matchAll(/\]\(([\w./-]+)\)/g)].map(([, path]) => path)

  it('names tests and files that there are', () => {
    const missing = [...named, ...linked].filter((path) => !existsSync(path ?? ''))
    expect(missing).toEqual([])
    expect(new Set(named).size).toBeGreaterThan(40)
  })

  it('names a test for each defence', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('| '))
    const table = text.slice(text.indexOf('## What an attacker may control')).split('\n')
    const defences = rows.filter((row) => table.includes(row) && !/^\| (?:attack|---) /.test(row))
    expect(defences.filter((row) => !/`test\/[\w./-]+\.test\.ts`/.test(row))).toEqual([])
    expect(defences.length).toBeGreaterThan(25)
  })
})
