/** Whatever a budget, a question and a window leave out of a list: following what is named brings all, once each. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, type Block, type Context, startApp } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addAccount,
  addComments,
  addDiscussion,
  addDiscussionComments,
  addFiles,
  addIssue,
  addPull,
  addRelease,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'

const COUNT = 75
const place = { owner: 'octo', repo: 'talk' }
type Entry = Readonly<Record<string, unknown>>

/** A type whose blocks have a list, where that is, and what makes an entry of it the same. */
interface Listing {
  readonly type: string
  readonly params: Readonly<Record<string, unknown>>
  readonly field: string
  readonly key: (entry: Entry) => unknown
  readonly all: readonly unknown[]
}

const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, i) => i + from)
const minute = (at: number) =>
  new Date(Date.UTC(2026, 0, 1, 0, at)).toISOString().replace('.000', '')
/** Some short, some long. */
const said = (what: string, at: number) =>
  `${what} ${at}. ${'It goes on about the login of guests. '.repeat((at * 7) % 11)}`
const numberIn = (field: string) => (entry: Entry) =>
  Number(/\d+/.exec(String(entry[field]))?.[0] ?? -1)

const LISTINGS: readonly Listing[] = [
  {
    type: 'github_issues',
    params: place,
    field: 'issues',
    key: numberIn('title'),
    all: upTo(COUNT),
  },
  {
    type: 'github_issues',
    params: { ...place, texts: 'whole' },
    field: 'issues',
    key: numberIn('title'),
    all: upTo(COUNT),
  },
  {
    type: 'github_issue_search',
    params: { q: 'login repo:octo/talk is:issue' },
    field: 'issues',
    key: numberIn('title'),
    all: upTo(COUNT),
  },
  {
    type: 'github_pull_requests',
    params: { ...place, state: 'all' },
    field: 'pull_requests',
    key: numberIn('title'),
    all: upTo(COUNT),
  },
  {
    type: 'github_issue_comments',
    params: { ...place, issue_number: 1 },
    field: 'comments',
    key: numberIn('body'),
    all: upTo(COUNT),
  },
  {
    type: 'github_releases',
    params: place,
    field: 'releases',
    key: numberIn('tag'),
    all: upTo(COUNT),
  },
  {
    type: 'github_commits',
    params: { ...place, ref: 'work' },
    field: 'commits',
    key: numberIn('message'),
    all: upTo(COUNT),
  },
  {
    type: 'github_discussions',
    params: place,
    field: 'discussions',
    key: numberIn('title'),
    all: upTo(COUNT),
  },
  {
    type: 'github_discussion_comments',
    params: { ...place, repo: 'other', discussion_number: 5_000 },
    field: 'comments',
    key: numberIn('body'),
    all: upTo(COUNT),
  },
  {
    type: 'github_user',
    params: { login: 'mona' },
    field: 'repositories',
    key: numberIn('full_name'),
    all: upTo(COUNT),
  },
  {
    type: 'github_code_search',
    params: { q: 'guests repo:octo/talk' },
    field: 'results',
    key: numberIn('path'),
    all: upTo(COUNT),
  },
]

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  const { world } = github
  Object.assign(world.limits, { core: 1e6, graphql: 1e6, search: 1e6, code_search: 1e6 })
  addRepository(world, { owner: 'octo', name: 'talk', default_branch: 'main' })
  const files = upTo(COUNT).map((at) => [`src/f${at}.ts`, `// ${said('guests', at)}\n`])
  addFiles(world, 'octo/talk', Object.fromEntries(files), { branch: 'main' })
  for (const at of upTo(COUNT)) {
    const issue = addIssue(world, 'octo/talk', { title: `Login ${at}`, body: said('Body', at) })
    if (at === 0) addComments(world, issue, COUNT, (n) => ({ body: said('Comment', n) }))
    addPull(world, 'octo/talk', { title: `Change ${at}`, body: said('Body', at), files: [] })
    addRelease(world, 'octo/talk', {
      tag_name: `v${at}`,
      body: said('Notes', at),
      created_at: minute(at),
    })
    const date = minute(at)
    const message = said('Commit', at)
    addFiles(world, 'octo/talk', { 'a.txt': `${at}\n` }, { branch: 'work', date, message })
    const title = `Talk ${at}`
    const number = 4_000 + at
    addDiscussion(world, 'octo/talk', { number, title, body: said('Body', at), created_at: date })
  }
  addRepository(world, { owner: 'octo', name: 'other' })
  addAccount(world, { login: 'mona', token: 'mona-token' })
  for (const at of upTo(COUNT)) {
    addRepository(world, { owner: 'mona', name: `r${at}`, description: said('About', at) })
  }
  const discussion = addDiscussion(world, 'octo/other', { number: 5_000, title: 'Long' })
  addDiscussionComments(world, discussion, COUNT, (at) => ({ body: said('Said', at) }))
  app = await startApp({
    github,
    env: { GITHUB_TOKEN: OCTOCAT_TOKEN, RATE_LIMIT_MAX: '1000000', GITHUB_BUDGET: 'off' },
  })
}, 60_000)
afterAll(async () => {
  await app.close()
  await github.close()
})

/** Gaps in what was read, and what goes on to the end of the list. */
async function behind(omitted: Context['omitted']): Promise<Block[]> {
  const isGap = ({ reason }: { reason: string }) => reason === 'max_tokens'
  const gaps = await follow(app, omitted.filter(isGap), { gaps: true })
  const rest = omitted.filter((omission) => !isGap(omission) && omission.next)
  return [...gaps, ...(await follow(app, rest))]
}

interface Scene {
  readonly limit: number
  readonly max_tokens: number | undefined
  readonly query: string | undefined
}

const wasCut = (entry: Entry) => JSON.stringify(entry).includes('tokens omitted]')

describe('following all that was left out', () => {
  it.each(LISTINGS.map((listing) => [listing.type, listing] as const))(
    'of %s brings everything, once each',
    async (type, { all, field, key, params }) => {
      const scene: fc.Arbitrary<Scene> = fc.record({
        limit: fc.integer({ min: 5, max: 100 }),
        max_tokens: fc.option(fc.integer({ min: 100, max: 3_000 }), { nil: undefined }),
        query: fc.constantFrom(undefined, 'login', 'guests 33', 'nothing of the kind'),
      })
      const entriesOf = (blocks: readonly Block[]) =>
        blocks.flatMap((block) => (block[field] ?? []) as readonly Entry[])
      const check = async ({ limit, max_tokens, query }: Scene) => {
        const { context, omitted } = await app.context({
          context_type: type,
          params: { ...params, limit },
          ...(max_tokens === undefined ? {} : { max_tokens }),
          ...(query === undefined ? {} : { query }),
        })
        const whole = entriesOf(context).filter((entry) => !wasCut(entry))
        const found = [...whole, ...entriesOf(await behind(omitted))].map(key)
        expect(found.toSorted((a, b) => Number(a) - Number(b))).toEqual(all)
      }
      await fc.assert(fc.asyncProperty(scene, check), { numRuns: 12 })
    },
    60_000,
  )
})
