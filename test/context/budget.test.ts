import fc from 'fast-check'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import { commentsOf } from '../support/follow.ts'
import {
  addComments,
  addIssue,
  addRepository,
  type GitHub,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  github.world.anonymousLimits.core = 1_000_000
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  app = await startApp({
    github,
    env: { RATE_LIMIT_MAX: '1000000', GITHUB_POINTS_PER_MINUTE: '1000000' },
  })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

/** Counted by the tokenizer itself, not by the service. */
const tokensOf = (text: string) => countTokens(text, { disallowedSpecial: new Set() })

/** Without the marks of others' words, and every end of a line as `\n`. */
const unmarked = (text: string) =>
  text.replaceAll(/\r\n|[\r\v\f\x85\u2028\u2029]/g, '\n').replaceAll(/^> ?/gm, '')

const words = fc.lorem({ maxCount: 60, mode: 'sentences' })
const oddText = fc.oneof(
  words,
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom(
    '<|endoftext|>',
    '<|im_start|>system\n',
    '\u0000',
    '\ud83d',
    '\ufeff',
    '𓀀'.repeat(90),
  ),
  fc
    .constantFrom('你好世界，', '日本語のテキスト。', '👩‍👩‍👧‍👦', 'é̂̃', '\u202e', 'ﷺ')
    .map((text) => text.repeat(40)),
  fc
    .tuple(
      fc.constantFrom('a', '=', ' ', '\n', '🙂', '0', '\t-'),
      fc.integer({ min: 1, max: 1_500 }),
    )
    .map(([text, times]) => text.repeat(times)),
)
const oddTexts = fc.array(oddText, { maxLength: 4 }).map((parts) => parts.join(''))

interface Scene {
  readonly title: string
  readonly body: string | null
  readonly comments: readonly string[]
  readonly max_tokens: number
  readonly query: string | null
}

const scene: fc.Arbitrary<Scene> = fc.record({
  title: fc.oneof(words, oddTexts).map((text) => text.slice(0, 256) || 'Title'),
  body: fc.option(oddTexts),
  comments: fc.array(oddTexts, { maxLength: 12 }),
  max_tokens: fc.oneof(fc.integer({ min: 100, max: 400 }), fc.integer({ min: 100, max: 5_000 })),
  query: fc.option(fc.oneof(words, oddTexts).map((text) => text.slice(0, 100) || 'x')),
})

describe('max_tokens', () => {
  it('is never exceeded, whatever people wrote, and nothing is lost unnamed', async () => {
    const check = async ({ title, body, comments, max_tokens, query }: Scene) => {
      const issue = addIssue(github.world, 'octo/talk', { title, body })
      if (comments.length > 0) {
        addComments(github.world, issue, comments.length, (i) => ({ body: comments[i] ?? '' }))
      }
      const params = { owner: 'octo', repo: 'talk', issue_number: issue.body.number }
      const asked = {
        context_type: 'github_issue',
        params,
        max_tokens,
        ...(query ? { query } : {}),
      }
      const { context, tokens, omitted } = await app.context(asked)
      const [block] = context
      if (!block) throw new Error('no block')
      expect(tokensOf(block.content)).toBeLessThanOrEqual(max_tokens)
      expect(tokens).toBeLessThanOrEqual(max_tokens)
      expect(tokensOf(block.content)).toBeLessThanOrEqual(tokens)
      const content = unmarked(block.content)
      for (const comment of commentsOf(block)) expect(content).toContain(unmarked(comment.body))
      const lost = omitted.reduce(
        (sum, { what, count = 0 }) => sum + (what === 'comments' ? count : 0),
        0,
      )
      const cut = commentsOf(block).filter((comment, i) => comment.body !== comments[i]).length
      expect(lost).toBeGreaterThanOrEqual(comments.length - commentsOf(block).length)
      expect(lost).toBeLessThanOrEqual(comments.length - commentsOf(block).length + cut)
    }
    await fc.assert(fc.asyncProperty(scene, check), { numRuns: 120 })
  }, 60_000)

  it.each([100, 101, 150, 5_000])('is used well: %i', async (max_tokens) => {
    const issue = addIssue(github.world, 'octo/talk', {
      number: 100_000 + max_tokens,
      body: 'Some words stand here. '.repeat(2_000),
    })
    const params = { owner: 'octo', repo: 'talk', issue_number: issue.body.number }
    const { context, tokens } = await app.context({
      context_type: 'github_issue',
      params,
      max_tokens,
    })
    expect(context[0]?.content).toContain('Some words stand here.')
    expect(tokens).toBeLessThanOrEqual(max_tokens)
    expect(tokens).toBeGreaterThan(max_tokens * 0.7)
  })

  it('does not cut a character in two', async () => {
    const issue = addIssue(github.world, 'octo/talk', { body: '🙂'.repeat(3_000) })
    const params = { owner: 'octo', repo: 'talk', issue_number: issue.body.number }
    for (let max_tokens = 200; max_tokens < 215; max_tokens++) {
      const { context } = await app.context({ context_type: 'github_issue', params, max_tokens })
      expect(context[0]?.content.isWellFormed()).toBe(true)
      expect(context[0]?.content).toContain('🙂🙂🙂')
    }
  })

  it('takes the longest texts that GitHub allows', async () => {
    const longest = [
      'x'.repeat(65_536),
      ' '.repeat(65_536),
      '界'.repeat(65_536),
      '=-'.repeat(32_768),
    ]
    for (const body of longest) {
      const issue = addIssue(github.world, 'octo/talk', { body })
      addComments(github.world, issue, 3, () => ({ body }))
      const params = { owner: 'octo', repo: 'talk', issue_number: issue.body.number }
      const { tokens } = await app.context({
        context_type: 'github_issue',
        params,
        max_tokens: 1_000,
      })
      expect(tokens).toBeLessThanOrEqual(1_000)
    }
  })
})
