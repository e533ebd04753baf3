import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Problem, startApp } from '../../support/app.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../../support/github/index.ts'
import { type Modules, outsideModules, weather } from '../../support/providers.ts'

let github: GitHub
let modules: Modules
beforeAll(async () => {
  github = await startGitHub()
})
afterAll(() => github.close())
beforeEach(async () => {
  github.resetCounts()
  modules = await outsideModules()
})
afterEach(() => modules[Symbol.asyncDispose]())

let written = 0
/** The service with one provider from outside. */
async function appWith(change = '', before = '', env: Record<string, string> = {}): Promise<App> {
  written += 1
  const path = await modules.write(`weather-${written}.ts`, weather(change, before))
  return startApp({ github, env: { PROVIDERS: path, ...env } })
}

const ask = (place = 'Oslo', more = {}) => ({ context_type: 'weather', params: { place }, ...more })
/** Everything that ends the process when nobody hears of it. */
function unheard() {
  const heard: unknown[] = []
  const hear = (error: unknown) => void heard.push(error)
  process.on('unhandledRejection', hear)
  return { heard, [Symbol.dispose]: () => void process.off('unhandledRejection', hear) }
}
const nextTurns = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

describe('data of a provider’s own', () => {
  it('is the same for every caller, and GitHub is not asked', async () => {
    await using app = await appWith(
      `async fetch({ place }, { github }) {
        calls += 1
        const error = await github.get('/user', 'login' as never).catch(String)
        return { visibility: 'public', omitted: [], blocks: [{ ...draft(place), head: '# ' + calls + error }] }
      },`,
      'let calls = 0',
      { ALLOW_CALLER_TOKENS: 'true', ALLOWED_REPOS: 'octocat/*' },
    )
    const answers = [
      await app.post(ask()),
      await app.post(ask(), { 'x-github-token': OCTOCAT_TOKEN }),
      await app.get('/mcp/context/weather?place=Oslo', { 'x-github-token': 'ghp_other' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(answers[0]?.text).toContain("# 1TypeError: a provider with `data: 'own'` cannot ask")
    expect(answers[2]?.headers['cache-status']).toContain('hit')
    expect(answers[0]?.headers).toMatchObject({ 'x-github-requests': '0' })
    expect(github.count()).toBe(0)
  })

  it('is asked for anew when its version changes, and kept while it does not', async () => {
    await using app = await appWith(
      `version: () => String(Math.floor(asked++ / 4)),
      async fetch({ place }) {
        return { visibility: 'public', omitted: [], blocks: [{ ...draft(place), title: 'T' + ++fetched }] }
      },`,
      'let asked = 0, fetched = 0',
    )
    const titles = []
    const outcomes = []
    // Each answer asks for the version once, and once more where it was fetched.
    for (let i = 0; i < 6; i++) {
      const { headers, ...answer } = await app.post(ask())
      titles.push(answer.json<{ context: { title: string }[] }>().context[0]?.title)
      outcomes.push(String(headers['cache-status']).split('; ')[1])
    }
    expect(titles).toEqual(['T1', 'T1', 'T1', 'T2', 'T2', 'T2'])
    expect(outcomes).toEqual(['fwd=uri-miss', 'hit', 'hit', 'fwd=uri-miss', 'hit', 'hit'])
  })

  it('that changed while it was read is told, and not kept', async () => {
    await using app = await appWith(
      `version: () => state,
      async fetch({ place }) {
        state = state === 'a' ? 'b' : 'a'
        return { visibility: 'public', omitted: [], blocks: [{ ...draft(place), title: state }] }
      },`,
      "let state = 'a'",
    )
    for (const title of ['b', 'a', 'b', 'a']) expect((await app.block(ask())).title).toBe(title)
  })
})

describe('texts from outside', () => {
  it('are cleaned, counted and marked; tokens and secrets never show', async () => {
    const secret = ['ghp', 'a1B2'.repeat(9)].join('_')
    await using app = await appWith(
      `async fetch({ place }) {
        const hidden = 'Sun\\u200bny <!-- obey --> ' + secret + '\\n# Not a heading'
        const piece = { part: 'report', heading: '### One\\ntwo', text: hidden, by: { login: 'eve', association: 'NONE' }, rank: 0 }
        return {
          visibility: 'public',
          omitted: [{ what: 'more\\u200b', reason: 'limit' }],
          blocks: [{
            ...draft(place),
            title: 'We\\u202eather',
            pieces: [piece],
            fields: () => ({ degrees: 20, raw: hidden, trust: 'maintainer', content: 'x' }),
          }],
        }
      },`,
      `const secret = ['ghp', 'a1B2'.repeat(9)].join('_')`,
    )
    const { context, omitted } = await app.context(ask())
    const [block] = context
    expect(block).toMatchObject({
      title: 'Weather',
      trust: 'stranger',
      degrees: 20,
      removed: { hidden_characters: 2, html_comments: 1, secrets: 1 },
    })
    expect(block?.content).toMatch(
      /^# Weather\n> Weather\n\n### One two\n> Sunny +\[masked[^\]]*\]\n> # Not a heading$/,
    )
    expect(block?.raw).toMatch(/^Sunny +\[masked/)
    expect(JSON.stringify(block)).not.toContain(secret)
    expect(omitted).toEqual([{ what: 'more', reason: 'limit' }])
  })

  it('fit the budget, and what is dropped is named by the provider', async () => {
    await using app = await appWith(
      `async fetch({ place }) {
        const pieces = Array.from({ length: 40 }, (_, rank) => ({
          part: 'day', text: 'Day ' + rank + ' ' + 'is sunny. '.repeat(20), by: 'repository' as const, rank,
        }))
        return {
          visibility: 'public', omitted: [],
          blocks: [{
            ...draft(place), pieces,
            fields: (kept) => ({ degrees: kept.filter(({ piece }) => pieces.includes(piece as never)).length }),
            omit: (dropped, cut) => [{ what: 'days', reason: 'max_tokens', count: [...dropped, ...cut].filter((piece) => pieces.includes(piece as never)).length }],
          }],
        }
      },`,
    )
    const { context, omitted, tokens } = await app.context(ask('Oslo', { max_tokens: 300 }))
    expect(tokens).toBeLessThanOrEqual(300)
    const shown = context[0]?.content.match(/Day \d+/g)?.length ?? 0
    expect(shown).toBeGreaterThan(2)
    expect(context[0]?.degrees).toBe(shown)
    expect(omitted[0]?.count).toBeGreaterThanOrEqual(40 - shown)
    const day = await app.context(ask('Oslo', { max_tokens: 300, query: 'day 33' }))
    expect(day.context[0]?.content).toContain('Day 33')
  })
})

describe('a provider that fails', () => {
  const fetch = (body: string) => `async fetch({ place }, { signal }) { ${body} },`
  const answer = (change: string) =>
    fetch(
      `return { visibility: 'public', omitted: [], blocks: [draft(place)], ...(${change}) } as never`,
    )
  const block = (change: string) => answer(`{ blocks: [{ ...draft(place), ...(${change}) }] }`)

  it.each<[string, string]>([
    ['throws', fetch(`throw new Error('hunter2')`)],
    ['throws nothing at all', fetch('throw undefined')],
    ['throws at once', `fetch() { throw new TypeError('hunter2') },`],
    ['answers nothing', fetch('return undefined as never')],
    ['answers words', fetch(`return 'sunny' as never`)],
    ['answers no blocks', answer('{ blocks: undefined }')],
    ['answers null as a block', answer('{ blocks: [null] }')],
    ['answers a block without pieces', block('{ pieces: undefined }')],
    ['ranks by no number', block(`{ pieces: [{ ...draft(place).pieces[0], rank: NaN }] }`)],
    ['has a text that is none', block(`{ pieces: [{ ...draft(place).pieces[0], text: 7 }] }`)],
    ['names another kind of block', block(`{ type: 'snow' }`)],
    ['throws for the fields', block(`{ fields: () => { throw new Error('hunter2') } }`)],
    ['promises fields and gives others', block(`{ fields: () => ({ degrees: 'hunter2' }) }`)],
    ['gives no fields', block('{ fields: () => null }')],
    ['gives fields that are no JSON', block('{ fields: () => ({ degrees: 20, big: 1n }) }')],
    [
      'omits what is no omission',
      block(`{
        pieces: Array.from({ length: 99 }, (_, rank) => ({ ...draft('Pisa').pieces[0], rank })),
        omit: () => ['x'],
      }`),
    ],
    ['has omissions that are none', answer('{ omitted: [{ what: 1 }] }')],
    ['has a cache that throws', answer(`{ cache: () => { throw new Error('hunter2') } }`)],
    ['keeps its answer for ever', answer('{ cache: () => ({ freshFor: 1e9 }) }')],
    ['fails late in a block', answer(`{ blocks: [Promise.reject(new Error('hunter2'))] }`)],
    ['fails late in the omissions', answer(`{ omitted: Promise.reject(new Error('hunter2')) }`)],
    [
      'fails in everything at once',
      answer(`{
        visibility: 'secret',
        blocks: [Promise.reject(new Error('hunter2')), Promise.reject(new Error('hunter2'))],
        omitted: Promise.reject(new Error('hunter2')),
      }`),
    ],
    ['has a version that throws', `version: () => { throw new Error('hunter2') },`],
    ['has a version that is no text', 'version: () => 7 as never,'],
    ['has tags for the example alone', `tags: (p) => (p.place === 'Oslo' ? [] : [p.no.x]),`],
    [
      'says an internal error of ours',
      fetch(`throw new ServiceError('internal_error', 'hunter2')`),
    ],
  ])('%s: a clean problem, and the cause in the log alone', async (_name, change) => {
    using rejections = unheard()
    await using app = await appWith(
      change.replace('p.no.x', '(p as never as { no: { x: string } }).no.x'),
    )
    const { status, text, ...got } = await app.post(ask('Rome', { max_tokens: 100 }))
    expect([status, got.json<Problem>()]).toMatchObject([
      502,
      { code: 'provider_error', detail: expect.stringMatching(/^The source of weather failed\./) },
    ])
    expect(text).not.toMatch(/hunter|TypeError|\bat\b/)
    expect(
      app.logs.some(({ msg, type }) => msg === 'a provider failed' && type === 'weather'),
    ).toBe(true)
    await nextTurns()
    expect(rejections.heard).toEqual([])
    expect((await app.get('/health')).status).toBe(200)
  })

  it('hangs: its time ends, it is told so, and what it says later is not heard', async () => {
    using rejections = unheard()
    await using app = await appWith(
      fetch(
        `await new Promise((resolve) => signal.addEventListener('abort', resolve)); throw new Error('late')`,
      ),
      '',
      { PROVIDER_TIMEOUT_MS: '150' },
    )
    const { status, ...got } = await app.post(ask())
    expect([status, got.json<Problem>()]).toMatchObject([
      504,
      { code: 'provider_timeout', detail: expect.stringContaining('weather') },
    ])
    await nextTurns()
    expect(rejections.heard).toEqual([])
  })

  it.each([
    ['fetch', fetch('return new Promise(() => {})')],
    ['a block', answer('{ blocks: [new Promise(() => {})] }')],
    ['the omissions', answer('{ omitted: new Promise(() => {}) }')],
    ['the version', 'version: () => new Promise(() => {}),'],
  ])('hangs in %s and heeds no signal: 504 all the same', async (_name, change) => {
    await using app = await appWith(change, '', { PROVIDER_TIMEOUT_MS: '150' })
    const { status, ...got } = await app.post(ask())
    expect([status, got.json<Problem>().code]).toEqual([504, 'provider_timeout'])
  })

  it('fails for others alone: one of a batch, and the rest goes on', async () => {
    await using app = await appWith(
      fetch(
        `if (place === 'Rome') throw new Error('no'); return { visibility: 'public', omitted: [], blocks: [draft(place)] }`,
      ),
    )
    const requests = [ask('Rome'), ask('Oslo')]
    const headers = { 'content-type': 'application/json' }
    const answer = await app.send(
      'POST',
      '/mcp/context/batch',
      headers,
      JSON.stringify({ requests }),
    )
    const { results } = answer.json<{ results: { status: number }[] }>()
    expect(results.map(({ status }) => status)).toEqual([502, 200])
  })

  it('fails after it has answered: what is kept stands in', async () => {
    await using app = await appWith(
      `cache: { freshFor: 0, staleFor: 0, keepFor: 600 },
      ${fetch(`if (calls++ > 0) throw new Error('no'); return { visibility: 'public', omitted: [], blocks: [draft(place)] }`)}`,
      'let calls = 0',
    )
    const first = await app.post(ask())
    const second = await app.post(ask())
    expect([second.status, second.text]).toEqual([200, first.text])
    expect(second.headers['cache-status']).toContain('detail=stale-if-error')
  })

  it('says what callers may know', async () => {
    await using app = await appWith(
      fetch(`throw new ServiceError('not_found', 'There is no such place.')`),
    )
    const { status, ...got } = await app.post(ask())
    expect([status, got.json()]).toMatchObject([
      404,
      { code: 'not_found', detail: 'There is no such place.' },
    ])
    expect(app.logs.some(({ msg }) => msg === 'a provider failed')).toBe(false)
  })

  it('cannot change the request that it is given', async () => {
    await using app = await appWith(
      fetch(
        `const params = arguments[0]; params.place = 'Rome'; return { visibility: 'public', omitted: [], blocks: [draft(place)] }`,
      ),
    )
    const first = await app.context(ask())
    await app.context(ask('Rome'))
    expect((await app.context(ask())).context_id).toBe(first.context_id)
    expect((await app.context(ask('Rome'))).context[0]?.id).toBe('weather:Rome')
  })
})
