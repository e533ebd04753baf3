import fc from 'fast-check'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { App, Block, Context } from '../../support/app.ts'
import { follow } from '../../support/follow.ts'
import {
  addCheckRun,
  addComments,
  addFiles,
  addPull,
  addReview,
  addReviewThread,
  addStatus,
  type GitHub,
  type Pull,
} from '../../support/github/index.ts'
import { changedFiles, filesIn, hunksIn, hunksOfFiles } from '../../support/patches.ts'
import { entriesIn, startTalk, TALK } from '../../support/talk.ts'

let github: GitHub
let app: App
beforeAll(async () => {
  ;({ github, app } = await startTalk())
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const request = (of: Pull, params: object = {}) => ({
  context_type: 'github_pull_request',
  params: { owner: 'octo', repo: 'talk', pull_number: of.issue.body.number, ...params },
})

describe('a large pull request', () => {
  let large: Pull
  const COUNT = { reviews: 130, threads: 140, runs: 230, statuses: 120, comments: 60 }
  const names = (what: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${what} ${i}`)
  beforeAll(() => {
    const { world } = github
    for (let i = 0; i < 260; i++) {
      addFiles(
        world,
        TALK,
        { 'src/big.ts': `${i}\n` },
        { branch: 'big', from: 'main', message: `commit ${i}`, date: minute(i) },
      )
    }
    large = addPull(world, TALK, {
      head: 'big',
      title: 'Large',
      body: 'All at once.',
      files: changedFiles(130),
    })
    for (const name of names('review', COUNT.reviews)) {
      addReview(world, large, { user: 'bob', state: 'COMMENTED', body: name })
    }
    names('thread', COUNT.threads).forEach((name, i) => {
      const body = i === 77 ? `${name}: the quokka is not tame` : name
      addReviewThread(world, large.issue, { isResolved: i % 3 === 0, comments: [{ body }] })
    })
    names('run', COUNT.runs).forEach((name, i) => {
      const conclusion = i === 99 ? 'failure' : 'success'
      const output = i === 99 ? { title: 'It broke', summary: 'A quokka escaped.' } : {}
      addCheckRun(world, TALK, { head_sha: large.head.sha, name, conclusion, output })
    })
    for (const context of names('status', COUNT.statuses)) {
      addStatus(world, TALK, { sha: large.head.sha, context })
    }
    addComments(world, large.issue, COUNT.comments, (i) => ({ body: `comment ${i}` }))
  })
  const minute = (i: number) =>
    new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString().replace('.000', '')

  /** Gaps within what was read, and what goes on to the end of a list. */
  async function behind(omitted: Context['omitted']): Promise<Block[]> {
    const isGap = ({ reason }: { reason: string }) =>
      reason === 'max_tokens' || reason === 'resolved'
    return [
      ...(await follow(app, omitted.filter(isGap), { gaps: true })),
      ...(await follow(
        app,
        omitted.filter((omission) => !isGap(omission)),
      )),
    ]
  }

  /** Everything that blocks hold, as names; threads by their first comment. */
  function namesIn(blocks: readonly Block[]): Record<string, string[]> {
    const first = (text: string) => text.split(':')[0] ?? ''
    return {
      reviews: entriesIn<{ body: string }>(blocks, 'reviews').map(({ body }) => body),
      threads: entriesIn<{ comments: { body: string }[] }>(blocks, 'threads').map(({ comments }) =>
        first(comments[0]?.body ?? ''),
      ),
      checks: entriesIn<{ name: string }>(blocks, 'checks').map(({ name }) => name),
      comments: entriesIn<{ body: string }>(blocks, 'comments').map(({ body }) => body),
      commits: entriesIn<{ message: string }>(blocks, 'commits').map(({ message }) => message),
      files: hunksIn(blocks),
    }
  }
  const sorted = (record: Record<string, string[]>) =>
    Object.fromEntries(Object.entries(record).map(([name, all]) => [name, all.toSorted()]))
  const everything = () =>
    sorted({
      reviews: names('review', COUNT.reviews),
      threads: names('thread', COUNT.threads),
      checks: [...names('run', COUNT.runs), ...names('status', COUNT.statuses)],
      comments: names('comment', COUNT.comments),
      commits: names('commit', 260),
      files: hunksOfFiles(changedFiles(130)),
    })

  it('comes whole by what is omitted, each thing once', async () => {
    const { context, omitted } = await app.context(request(large))
    // Files are listed here; their patches come by what is omitted.
    const shown = context.filter(({ type }) => !type.endsWith('_files'))
    const rest = await behind(omitted)
    const found = namesIn([...shown, ...rest])
    expect(sorted(found)).toEqual(everything())
    const bodies = [...context, ...rest].filter(({ content }) => content.includes('All at once.'))
    expect(bodies).toHaveLength(1)
  }, 60_000)

  it('comes whole by what is omitted from a tight budget, too', async () => {
    const include = ['reviews', 'comments', 'commits', 'checks', 'patches']
    const scene = fc.record({
      max_tokens: fc.integer({ min: 100, max: 6_000 }),
      query: fc.constantFrom(undefined, 'quokka', 'commit 77', 'run 12'),
    })
    await fc.assert(
      fc.asyncProperty(scene, async ({ max_tokens, query }) => {
        const asked = { ...request(large, { include }), max_tokens, ...(query && { query }) }
        const { context, omitted, tokens } = await app.context(asked)
        expect(tokens).toBeLessThanOrEqual(max_tokens)
        const exact = context.reduce((sum, one) => sum + countTokens(one.content), 0)
        expect(exact).toBeLessThanOrEqual(max_tokens)
        const cut = (text: string) => text.includes('tokens omitted]')
        const found = namesIn([...context, ...(await behind(omitted))])
        const whole = Object.entries(found).map(([name, all]) => [
          name,
          [...new Set(all.filter((text) => text !== '' && !cut(text)))].toSorted(),
        ])
        expect(Object.fromEntries(whole)).toEqual(everything())
      }),
      { numRuns: 5 },
    )
  }, 120_000)

  it('shows what failed and what is not resolved before anything else', async () => {
    const { context, tokens } = await app.context({ ...request(large), max_tokens: 400 })
    expect(tokens).toBeLessThanOrEqual(400)
    const text = context.map(({ content }) => content).join('\n')
    expect(text).toContain('All at once.')
    expect(text).toContain('- failure: run 99')
    expect(text).toContain('#### ')
    expect(text).not.toContain('success')
  })

  it('is searched by what is asked, over all parts', async () => {
    const asked = { ...request(large), max_tokens: 700, query: 'tame quokka' }
    const text = (await app.context(asked)).context.map(({ content }) => content).join('\n')
    expect(text).toContain('the quokka is not tame')
    expect(text).toContain('A quokka escaped.')
  })

  it('has the one comment of 250, or file of 130, that is asked for, whatever part it is of', async () => {
    const needles = { 87: 'The walrus swallows the last session.' }
    const crowded = addPull(github.world, TALK, { title: 'Crowded', files: changedFiles(130) })
    addComments(github.world, crowded.issue, 250, (i) => ({
      body: i === 187 ? needles[87] : `We saw this too, in place ${i}, and do not know why.`,
    }))
    const textFor = async (query: string) => {
      const asked = { ...request(crowded), max_tokens: 1_500, query, max_age: 0 }
      const { context, omitted } = await app.context(asked)
      return { context, omitted, text: context.map(({ content }) => content).join('\n') }
    }
    expect((await textFor('which walrus swallows sessions')).text).toContain(needles[87])
    const wanted = changedFiles(130)[117]?.filename ?? ''
    const { context } = await textFor(wanted.replace(/.*\/|\..*/g, ''))
    expect(filesIn(context).map(({ path }) => path)).toContain(wanted)

    github.resetCounts()
    github.latencyMs = 300
    const { omitted } = await textFor('walrus')
    github.latencyMs = 0
    expect(github.rounds()).toBe(2)
    // Three pages of comments, two of files; the rest is one each.
    expect(github.count({ path: /\/comments/ })).toBe(3)
    expect(github.count({ path: /\/files/ })).toBe(2)
    // What is not shown is named, to the last comment and file.
    const left = (what: string) =>
      omitted.filter((one) => one.what === what).reduce((sum, { count = 0 }) => sum + count, 0)
    expect(left('comments')).toBeGreaterThan(200)
    expect(left('comments')).toBeLessThan(250)
    expect(left('files')).toBeGreaterThan(100)
    // Without a budget nothing is chosen: no more is read than usual.
    github.resetCounts()
    await app.context({ ...request(crowded), query: 'walrus', max_age: 0 })
    expect(github.count({ path: /\/comments/ })).toBe(0)
    // Who says how many gets no more.
    const few = request(crowded, { include: ['comments'], max_entries: 7 })
    const [, block] = (await app.context(few)).context
    expect(entriesIn(block ? [block] : [], 'comments')).toHaveLength(7)
  }, 60_000)

  it('lists 130 files, the relevant one where it is asked for', async () => {
    const wanted = changedFiles(130)[87]?.filename ?? ''
    const query = wanted.replace(/.*\/|\..*/g, '')
    const asked = { ...request(large, { include: ['files'] }), max_tokens: 500, query }
    const { context } = await app.context(asked)
    expect(filesIn(context).map(({ path }) => path)).toContain(wanted)
  })
})
