/** Structured fields follow the cut of the content: what that leaves out is in none of them in full. */
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { providers } from '../../src/context/registry.ts'
import { type Alter, startAltered } from '../support/altered.ts'
import { type App, type Block, startApp } from '../support/app.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'

const ENV = { GITHUB_TOKEN: OCTOCAT_TOKEN, RATE_LIMIT_MAX: '1000000', GITHUB_BUDGET: 'off' }
const BUDGETS = [100, 150, 200, 300]
/** Characters up to which a field is a fact, such as a state, a date or a sha. */
const SHORT = 40
const ADDRESS = /^https?:\/\/\S+$/

/** Without marks of lines, and with any space as one. */
const plain = (text: string) =>
  text
    .replaceAll(/^(?:> ?|\d+\t)/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim()

/** Longer texts of the fields, in parts where they were cut, with where they are. */
function textsOf(value: unknown, place: string): [place: string, text: string][] {
  if (typeof value === 'string') {
    const parts = value.split(/\[… \d+ tokens omitted\]/).map(plain)
    return parts
      .filter((text) => text.length > SHORT && !ADDRESS.test(text))
      .map((text) => [place, text])
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, own]) => textsOf(own, `${place}/${name}`))
}

/** What the fields of a block have that its content has not. */
function beyondContent({ content, id: _id, type: _type, url: _url, ...fields }: Block): string[] {
  const shown = plain(content)
  return (
    textsOf(fields, '')
      // A title that the service itself made says in other order what the heading says.
      .filter(([place, text]) =>
        place === '/title'
          ? !text.split(' ').every((word) => word.length < 3 || shown.includes(word))
          : !shown.includes(text),
      )
      .map(([place, text]) => `${place}: ${text}`)
  )
}

/** Lists of names and short texts at their longest: more than the first lines of a small answer can hold. */
function crowded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(crowded)
  if (typeof value !== 'object' || value === null) return value
  const many = (of: (name: string) => unknown) =>
    Array.from({ length: 60 }, (_, at) => of(`Name number ${at} that is of ordinary length`))
  const entries = Object.entries(value).map(([name, own]) => {
    if (name === 'labels' && Array.isArray(own)) return [name, many((label) => ({ name: label }))]
    if (name === 'labels') return [name, { nodes: many((label) => ({ name: label })) }]
    if (name === 'topics') return [name, many((topic) => topic)]
    if (name === 'assignees') return [name, many((login) => ({ login }))]
    if (name === 'milestone') return [name, { title: 'A milestone of many words '.repeat(20) }]
    if (/^(?:company|location|display_title)$/.test(name)) return [name, `${name} `.repeat(60)]
    if (name === 'title' && typeof own === 'string')
      return [name, `${own}, ${'and more '.repeat(25)}`]
    return [name, crowded(own)]
  })
  return Object.fromEntries(entries)
}

describe.each([
  ['as recorded', undefined],
  ['with crowded first lines', (_exchange, body) => crowded(body)],
] as const satisfies [string, Alter | undefined][])('fields of an answer %s', (_name, alter) => {
  let github: GitHub
  let app: App
  let altered: Awaited<ReturnType<typeof startAltered>> | undefined
  beforeAll(async () => {
    github = await startGitHub()
    Object.assign(github.world.limits, { core: 1e6, graphql: 1e6, search: 1e6, code_search: 1e6 })
    altered = alter && (await startAltered(github, alter))
    app = await startApp({ github: altered ?? github, env: ENV })
  }, 60_000)
  afterAll(async () => {
    await app.close()
    await altered?.[Symbol.asyncDispose]()
    await github.close()
  })

  it.each(providers.map((provider) => [provider.type, provider] as const))(
    '%s',
    async (type, { example, params }) => {
      const pattern: string = params.properties.include?.items?.pattern ?? ''
      const parts = /^\^\(\?:([\w|]+)\)\$$/.exec(pattern)?.[1]?.split('|')
      for (const include of parts ? [undefined, parts] : [undefined]) {
        const asked = { ...(example as object), ...(include && { include }) }
        for (const max_tokens of BUDGETS) {
          const request = { context_type: type, params: asked, max_tokens }
          const { context, omitted } = await app.context(request)
          const counted = context.reduce((sum, { content }) => sum + countTokens(content), 0)
          expect(counted).toBeLessThanOrEqual(max_tokens)
          expect([max_tokens, context.flatMap(beyondContent)]).toEqual([max_tokens, []])
          // First lines that were cut say so, and are named with the request that has them.
          const facts = omitted.find(({ what }) => what === 'facts')
          if (!facts) continue
          expect(context[0]?.content).toContain(' …')
          const whole = await app.context(facts.next as never)
          expect(whole.context[0]?.content.length).toBeGreaterThan(context[0]?.content.length ?? 0)
        }
      }
    },
  )
})
