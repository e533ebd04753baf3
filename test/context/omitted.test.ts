/** Whatever a budget, a question and a window leave out of a list: following what is named brings all, once each. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, type Block, type Context, startApp } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addAccount,
  addClosing,
  addComments,
  addDiscussion,
  addDiscussionComments,
  addEvent,
  addFiles,
  addIssue,
  addMention,
  addPull,
  addRelease,
  addRepository,
  addSubIssue,
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

describe('following all that was left out of an issue', () => {
  const include = ['timeline', 'linked', 'sub_issues']
  let issue_number = 0
  const count = 24
  beforeAll(() => {
    const { world } = github
    addRepository(world, { owner: 'octo', name: 'epics' })
    const epic = addIssue(world, 'octo/epics', { title: 'Epic', body: said('Why', 5) })
    issue_number = Number(epic.body.number)
    addComments(world, epic, count, (at) => ({ body: said('Comment', at) }))
    for (const at of upTo(count)) {
      const title = `Story ${at}`
      addSubIssue(world, epic, addIssue(world, 'octo/epics', { title }))
      addMention(world, addIssue(world, 'octo/epics', { title: `Mention ${at}` }), epic)
      const event = at % 3 ? 'labeled' : 'subscribed'
      addEvent(world, epic, { event, label: { name: `label ${at}` } })
    }
    addClosing(world, addPull(world, 'octo/epics', { title: 'Fix 0' }).issue, epic)
  })

  interface IssueBlock {
    readonly body: string
    readonly comments: readonly Entry[]
    readonly timeline?: readonly { readonly event: string; readonly detail: string }[]
    readonly linked?: readonly { readonly title: string }[]
    readonly sub_issues?: readonly { readonly title: string }[]
  }
  const namesIn = (blocks: readonly Block[]) =>
    (blocks as readonly unknown[] as readonly IssueBlock[]).flatMap(
      ({ body, comments, linked = [], sub_issues = [], timeline = [] }) => [
        ...(body ? [body] : []),
        ...comments.map((comment) => String(comment.body)),
        ...timeline.map(({ detail, event }) => `${event} ${detail}`),
        ...linked.map(({ title }) => `linked ${title}`),
        ...sub_issues.map(({ title }) => title),
      ],
    )

  it('brings everything, once each', async () => {
    const request = {
      context_type: 'github_issue',
      params: { owner: 'octo', repo: 'epics', issue_number, include },
    }
    const all = namesIn((await app.context(request)).context)
    expect(all.length).toBeGreaterThan(4 * count)
    expect(new Set(all).size).toBe(all.length)
    const scene = fc.record({
      max_tokens: fc.integer({ min: 100, max: 2_500 }),
      query: fc.constantFrom('login', 'label 13', 'Story 7', 'Mention 12'),
      max_comments: fc.integer({ min: 0, max: 30 }),
    })
    await fc.assert(
      fc.asyncProperty(scene, async ({ max_comments, max_tokens, query }) => {
        const params = { ...request.params, max_comments }
        const { context, omitted } = await app.context({ ...request, params, max_tokens, query })
        const isWhole = (name: string) => !name.includes('tokens omitted]')
        const found = [...namesIn(context).filter(isWhole), ...namesIn(await behind(omitted))]
        expect(found.toSorted()).toEqual(all.toSorted())
      }),
      { numRuns: 25 },
    )
  }, 60_000)

  it('goes window by window of one part', async () => {
    const params = { owner: 'octo', repo: 'epics', issue_number }
    for (const part of include) {
      const asked = { ...params, include: [part], limit: 7 }
      const { context, omitted } = await app.context({
        context_type: 'github_issue',
        params: asked,
      })
      const found = namesIn([...context, ...(await follow(app, omitted))])
      const whole = { ...params, include: [part], limit: 1_000 }
      const all = await app.context({ context_type: 'github_issue', params: whole })
      expect([part, found]).toEqual([part, namesIn(all.context)])
      expect(found.length).toBeGreaterThan(15)
    }
    const two = { ...params, include: include.slice(0, 2), limit: 7 }
    const refused = await app.post({ context_type: 'github_issue', params: two })
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('exactly one')])
  })
})

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
