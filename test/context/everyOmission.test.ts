/** What any type leaves out, for whatever reason: following what is named brings all that GitHub has, once each. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { providers } from '../../src/context/registry.ts'
import { type App, type Block, type Context, startApp } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'
import { addMarked, type MarkedScene, marksIn } from '../support/marked.ts'

let github: GitHub
let app: App
let scenes: Readonly<Record<string, MarkedScene>>
beforeAll(async () => {
  github = await startGitHub()
  Object.assign(github.world.limits, { core: 1e6, graphql: 1e6, search: 1e6, code_search: 1e6 })
  scenes = addMarked(github.world)
  app = await startApp({
    github,
    env: { GITHUB_TOKEN: OCTOCAT_TOKEN, RATE_LIMIT_MAX: '1000000', GITHUB_BUDGET: 'off' },
  })
}, 60_000)
afterAll(async () => {
  await app.close()
  await github.close()
})

const textOf = (blocks: readonly Block[]) => blocks.map(({ content }) => content).join('\n\n')

/** Gaps in what was read are brought by one request each; what goes on behind it is followed to its end. */
async function behind(omitted: Context['omitted']): Promise<Block[]> {
  const isGap = ({ reason }: { reason: string }) =>
    /^(?:max_tokens|min_trust|resolved)$/.test(reason)
  const gaps = await follow(app, omitted.filter(isGap), { gaps: true })
  return [
    ...gaps,
    ...(await follow(
      app,
      omitted.filter((omission) => !isGap(omission)),
    )),
  ]
}

const repeated = (marks: readonly string[]) =>
  marks.filter((mark, at) => marks.indexOf(mark) !== at)

describe('what is left out of an answer', () => {
  it('is tried of every context type', () => {
    expect(Object.keys(scenes).toSorted()).toEqual(providers.map(({ type }) => type).toSorted())
  })

  it.each(providers.map(({ type }) => type))(
    'of %s: what is named brings everything, once each',
    async (type) => {
      const { marks, params, together } = scenes[type] as MarkedScene
      const request = { context_type: type, params }
      const whole = await app.context(request)
      const all = [
        ...marksIn(textOf(whole.context)),
        ...marksIn(textOf(await behind(whole.omitted))),
      ]
      expect(repeated(all)).toEqual([])
      expect(all.toSorted()).toEqual(marks.toSorted())

      const scene = fc.record({
        max_tokens: fc.option(fc.integer({ min: 100, max: 2_500 }), { nil: undefined }),
        min_trust: fc.constantFrom(undefined, 'contributor', 'maintainer'),
        query: fc.constantFrom(undefined, 'login', marks[Math.floor(marks.length / 2)]),
      })
      await fc.assert(
        fc.asyncProperty(scene, async (options) => {
          const given = Object.entries(options).filter(([, value]) => value !== undefined)
          const asked = { ...request, ...Object.fromEntries(given) }
          const { context, omitted } = await app.context(asked)
          const shown = textOf(context)
          const found = [...marksIn(shown), ...marksIn(textOf(await behind(omitted)))]
          expect([...new Set(found)].toSorted()).toEqual(marks.toSorted())
          // What was cut comes whole, with what was shown of it; facts come with all that they are of.
          const isCut = shown.includes('tokens omitted]')
          if (isCut || omitted.some(({ what }) => what === 'facts')) return
          expect(repeated(found).filter((mark) => !together.has(mark))).toEqual([])
        }),
        { numRuns: 4 },
      )
    },
    120_000,
  )
})
