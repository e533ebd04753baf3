import { mkdir, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Client, createClient } from './support/app.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from './support/github/index.ts'
import { startProcess } from './support/process.ts'
import { type Modules, outsideModules, weather } from './support/providers.ts'

let github: GitHub
let modules: Modules
beforeEach(async () => {
  github = await startGitHub()
  modules = await outsideModules({ byName: true })
})
afterEach(async () => {
  await modules[Symbol.asyncDispose]()
  await github.close()
})

const start = (PROVIDERS: string, env: Record<string, string> = {}) =>
  startProcess({
    cwd: modules.folder,
    env: { PORT: '0', GITHUB_API_URL: github.url, PROVIDERS, ...env },
  })

/** The lines that it said before it gave up. */
async function refusal(PROVIDERS: string): Promise<string[]> {
  await using service = start(PROVIDERS)
  expect((await service.exited).code).toBe(1)
  expect(service.stdout).not.toContain('listens')
  return service.stderr.trim().split('\n')
}

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const rpc = async (client: Client, method: string, params: object = {}) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const { text } = await client.send('POST', '/mcp', json, body)
  return JSON.parse(text.replace(/^event: message\ndata: /, '')).result
}

/** A package as it is installed, which knows no TypeScript. */
async function installPackage(name: string, text: string): Promise<void> {
  const folder = join(modules.folder, 'node_modules', name)
  await mkdir(folder, { recursive: true })
  const manifest = { name, type: 'module', exports: { '.': { import: './main.js' } } }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(folder, 'main.js'), stripTypeScriptTypes(text))
}

const named = (type: string) =>
  weather()
    .replaceAll("'weather'", `'${type}'`)
    .replaceAll('weather://', `${type.replaceAll('_', '-')}://`)

describe('PROVIDERS', () => {
  it('are served by every door, from files and from packages, wherever they lie', async () => {
    await modules.write('weather.ts', weather())
    await mkdir(join(modules.folder, 'deep'))
    await modules.write(
      'deep/list.ts',
      `${named('tide').replace('export default', 'const one =')}\nexport const providers = [one]`,
    )
    await installPackage('climate-provider', named('climate'))
    await using service = start('./weather.ts, deep/list.ts, climate-provider')
    const client = createClient(await service.url)

    for (const type of ['weather', 'tide', 'climate']) {
      const params = { place: 'Oslo' }
      const { context } = await client.context({ context_type: type, params })
      expect(context).toMatchObject([
        { type, degrees: 20, content: expect.stringContaining('> Sunny in Oslo') },
      ])
      const got = await client.get(`/mcp/context/${type}?place=Oslo`, { accept: 'text/markdown' })
      expect(got.text).toContain('> Sunny in Oslo')
      const wrong = await client.get(`/mcp/context/${type}?town=Oslo`)
      expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('/params/town')])
    }

    const catalogue = (await client.get('/mcp/context-types')).json<{
      context_types: { context_type: string }[]
    }>()
    const entry = catalogue.context_types.find(({ context_type }) => context_type === 'weather')
    expect(entry).toMatchObject({
      title: 'Weather',
      uri: 'weather://{place}',
      cache: { fresh_for: 60 },
      example: { context_type: 'weather', params: { place: 'Oslo' } },
    })
    const document = (await client.get('/openapi.json')).json<{
      paths: object
      components: { schemas: object }
    }>()
    expect(Object.keys(document.paths)).toContain('/mcp/context/weather')
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['weather', 'weather_block', 'climate']),
    )

    const { tools } = await rpc(client, 'tools/list')
    expect(tools.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['weather', 'tide', 'climate']),
    )
    const called = await rpc(client, 'tools/call', {
      name: 'weather',
      arguments: { place: 'Rome' },
    })
    expect(called.content[0].text).toContain('> Sunny in Rome')
    const { resourceTemplates } = await rpc(client, 'resources/templates/list')
    expect(resourceTemplates).toContainEqual(
      expect.objectContaining({ uriTemplate: 'weather://{place}' }),
    )
    const read = await rpc(client, 'resources/read', { uri: 'weather://Bergen' })
    expect(read.contents[0].text).toContain('> Sunny in Bergen')

    const metrics = (await client.get('/metrics')).text
    expect(metrics).toMatch(/type="weather",status="200",outcome="miss"/)
    await client.close()
  })

  it('may ask GitHub, in the caller’s name and within the allowlist', async () => {
    await modules.write(
      'stars.ts',
      `import { blockFields, defineProvider, repositoryParams, Type } from 'github-context-service/provider'
      export default defineProvider({
        type: 'stars', blockType: 'stars', title: 'Stars', description: 'How many stars a repository has.',
        uri: 'github://{owner}/{repo}/stargazers',
        params: Type.Object(repositoryParams, { additionalProperties: false }),
        block: Type.Object({ ...blockFields, stars: Type.Integer() }),
        example: { owner: 'octocat', repo: 'Hello-World' },
        cache: { freshFor: 60, staleFor: 60, keepFor: 600 },
        tags: ({ owner, repo }) => ['repo:' + owner + '/' + repo],
        async fetch({ owner, repo }, { github, webUrl }) {
          const found = await github.get<{ full_name: string; stargazers_count: number }>('/repos/{owner}/{repo}', 'full_name', { params: { owner, repo } })
          return { repository: { owner, repo }, visibility: 'private', omitted: [], blocks: [{
            id: 'stars:' + found.full_name, title: found.full_name, url: webUrl + '/' + found.full_name, by: 'service',
            head: '# ' + found.full_name + ': ' + found.stargazers_count + ' stars', pieces: [],
            fields: () => ({ stars: found.stargazers_count }), omit: () => [],
          }] }
        },
      })`,
    )
    await using service = start('./stars.ts', {
      GITHUB_TOKEN: OCTOCAT_TOKEN,
      ALLOWED_REPOS: 'octocat/*',
    })
    const client = createClient(await service.url)
    const block = await client.block({
      context_type: 'stars',
      params: { owner: 'octocat', repo: 'Hello-World' },
    })
    expect(block.content).toMatch(/^# octocat\/Hello-World: \d+ stars$/)
    const byPage = await client.get(
      '/mcp/context?url=https://github.com/octocat/Hello-World/stargazers',
    )
    expect(byPage.status).toBe(200)
    const others = await client.post({
      context_type: 'stars',
      params: { owner: 'other', repo: 'x' },
    })
    expect([others.status, others.json()]).toMatchObject([403, { code: 'forbidden' }])
    const none = await client.post({
      context_type: 'stars',
      params: { owner: 'octocat', repo: 'nope' },
    })
    expect([none.status, none.json()]).toMatchObject([404, { code: 'not_found' }])
    await client.close()
  })

  it('that fail, and fail again when nobody listens, do not end the process', async () => {
    await modules.write(
      'weather.ts',
      weather(
        `async fetch({ place }) {
        if (place === 'hang') return new Promise(() => {})
        if (place === 'late') setTimeout(() => late.reject(new Error('late')), 300)
        return { visibility: 'public', blocks: [draft(place), late.promise as never], omitted: Promise.reject(new Error('omitted')) }
      },`,
        'const late = Promise.withResolvers()',
      ),
    )
    await using service = start('./weather.ts', { PROVIDER_TIMEOUT_MS: '200' })
    const client = createClient(await service.url)
    const ask = (place: string) => client.post({ context_type: 'weather', params: { place } })
    expect((await ask('hang')).status).toBe(504)
    expect((await ask('late')).status).toBe(504)
    await expect.poll(async () => (await ask('Oslo')).status, { timeout: 5_000 }).toBe(502)
    expect((await client.get('/health')).status).toBe(200)
    await client.close()
  })
})

describe('a fault of PROVIDERS', () => {
  it.each<[string, string, RegExp]>([
    ['is not there', '', /cannot be loaded: Cannot find (module|package)/],
    ['cannot be read as a program', 'export default {', /cannot be loaded: \w+/],
    ['fails when it is loaded', `throw new Error('no\\nkey')`, /cannot be loaded: no key$/],
    ['never ends to load', 'await new Promise(() => {})', /did not load in 10 s/],
    [
      'exports nothing',
      'export const x = 1',
      /exports no provider: neither `default` nor `providers`/,
    ],
    ['exports a function', 'export default () => ({})', /exports a function, not a provider/],
    ['exports none', 'export default []', /exports an empty array/],
    [
      'clashes with a type of the service',
      named('github_issue'),
      /"github_issue": type github_issue is taken/,
    ],
  ])('%s: one line that names the module, and no start', async (_name, text, message) => {
    if (text) await modules.write('broken.ts', text)
    const lines = await refusal('./broken.ts')
    expect(lines[0]).toMatch(/^Configuration: PROVIDERS: \.\/broken\.ts: /)
    expect(lines[0]).toMatch(message)
    expect(lines.every((line) => line.startsWith('Configuration: PROVIDERS: ./broken.ts: '))).toBe(
      true,
    )
  })

  it('is told with all others, each by its module', async () => {
    await modules.write('one.ts', weather(`type: 'Weather', cache: { freshFor: 1 } as never,`))
    await modules.write('two.ts', weather(`params: Type.Object({ place: Type.String() }),`))
    await modules.write('three.ts', weather())
    await modules.write('four.ts', weather())
    const lines = await refusal('./one.ts,./two.ts,./three.ts,./four.ts,./three.ts,none-such')
    expect(lines.map((line) => line.replace('Configuration: PROVIDERS: ', ''))).toEqual([
      expect.stringMatching(/^\.\/one\.ts: "Weather": type must be a name in snake case/),
      expect.stringMatching(/^\.\/one\.ts: "Weather": cache must be/),
      expect.stringMatching(/^\.\/two\.ts: "weather": params must refuse/),
      expect.stringMatching(/^\.\/two\.ts: "weather": params\.place must have a description/),
      expect.stringMatching(/^\.\/two\.ts: "weather": params\.place must be bounded/),
      expect.stringMatching(/^\.\/four\.ts: "weather": type weather is taken/),
      expect.stringMatching(/^\.\/four\.ts: "weather": blockType weather is taken/),
      expect.stringMatching(/^\.\/four\.ts: "weather": uri .* is that of another type/),
      './three.ts: is listed twice',
      expect.stringMatching(/^none-such: cannot be loaded: Cannot find package 'none-such'/),
    ])
  })
})
