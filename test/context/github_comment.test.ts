import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import {
  addComments,
  addCommitComment,
  addFiles,
  addIssue,
  addRepository,
  addReviewThread,
  type GitHub,
  OCTOCAT_TOKEN,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub({ latencyMs: 500 })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const ask = (comment_id: number, kind?: string, repo = 'talk') => ({
  context_type: 'github_comment',
  params: { owner: 'octo', repo, comment_id, ...(kind ? { kind } : {}) },
})

function issueComment(options: object = {}) {
  const issue = addIssue(github.world, 'octo/talk', { title: 'Login fails', body: 'It fails.' })
  const [comment] = addComments(github.world, issue, 1, () => ({ body: 'Same here.', ...options }))
  return comment?.body.id ?? 0
}

describe('github_comment', () => {
  it('shows a comment on an issue with the issue that it answers, in two rounds', async () => {
    const block = await app.block(ask(issueComment({ author_association: 'NONE' })))
    expect(block).toMatchObject({
      type: 'github_comment',
      kind: 'issue',
      title: 'Login fails',
      trust: 'stranger',
      author_association: 'NONE',
      body: 'Same here.',
      answers: { kind: 'issue', title: 'Login fails' },
    })
    expect(block.content).toMatch(
      /^# Comment by octocat on octo\/talk\n> Login fails\n[\s\S]*## Issue #1\n> It fails\.\n\n## The comment\n> Same here\.$/,
    )
    expect(github.rounds()).toBe(2)
  })

  it('shows a review comment with its hunk and the comment that it answers', async () => {
    const pull = addIssue(github.world, 'octo/talk', { pull_request: true })
    const thread = addReviewThread(github.world, pull, {
      path: 'src/a.ts',
      comments: [{ body: 'Why?' }, { body: 'Because.', user: null }],
    })
    const [first, second] = thread.comments.map(({ body }) => body)
    const block = await app.block(ask(second?.id ?? 0, 'review'))
    expect(block).toMatchObject({
      author: 'ghost',
      body: 'Because.',
      answers: { kind: 'comment', path: 'src/a.ts' },
    })
    expect(block.content).toContain('## src/a.ts\n@@')
    expect(block.content).toMatch(/## Comment by \w+\n> Why\?\n\n## The comment\n> Because\.$/)
    const opening = await app.block(ask(first?.id ?? 0, 'review'))
    expect(opening).toMatchObject({ answers: { kind: 'pull_request' } })
  })

  it('shows a comment on a commit with its message', async () => {
    const { sha } = addFiles(
      github.world,
      'octo/talk',
      { 'a.txt': 'one\n' },
      { message: 'Add a\n\nIt was missing.' },
    )
    const { id } = addCommitComment(github.world, 'octo/talk', {
      commit_id: sha,
      body: 'Nice.',
      path: 'a.txt',
    })
    const block = await app.block(ask(id, 'commit'))
    expect(block).toMatchObject({ answers: { kind: 'commit', title: 'Add a', path: 'a.txt' } })
    expect(block.content).toContain('> It was missing.')
  })

  it('fits, and names what it left out', async () => {
    const id = issueComment({ body: 'Long words. '.repeat(500) })
    const { context, omitted } = await app.context({ ...ask(id), max_tokens: 150 })
    expect(context[0]?.tokens).toBeLessThanOrEqual(150)
    expect(omitted).toContainEqual({
      what: 'body',
      count: 1,
      reason: 'max_tokens',
      next: { ...ask(id), params: { ...ask(id, 'issue').params, part: 'body' } },
    })
    const left = omitted.find(({ what }) => what === 'body')
    const alone = await app.context(left?.next as never)
    expect(alone.context[0]?.content).not.toContain('It fails.')
    expect(alone.context[0]?.body).toBe('Long words. '.repeat(500).trim())
  })

  it('follows a renamed repository, and says what is not there', async () => {
    const id = issueComment()
    renameRepository(github.world, 'octo/talk', 'octo/chat')
    expect((await app.block(ask(id))).content).toMatch(/^# Comment by octocat on octo\/chat/)
    const missing = await app.post(ask(999_999_999))
    expect(missing.json<Problem>().code).toBe('not_found')
    expect((await app.post(ask(id, 'letter'))).status).toBe(400)
  })

  it('shows an empty comment as one', async () => {
    const block = await app.block(ask(issueComment({ body: '' })))
    expect(block.body).toBe('')
    expect(block.content).toContain('(no text)')
  })
})
