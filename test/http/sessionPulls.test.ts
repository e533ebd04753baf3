import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import {
  addIssue,
  addPull,
  addRepository,
  fileBody,
  type GitHub,
  mergePull,
  OCTOCAT_TOKEN,
  startGitHub,
  updateIssue,
} from '../support/github/index.ts'
import { type Conversation, startConversation } from '../support/sessions.ts'

const BOTH = '?repo_owner=octo&repo_name=talk&fetch_issues=true&fetch_prs=true'
const PULLS = '?repo_owner=octo&repo_name=talk&fetch_issues=false'

let github: GitHub
let app: App
let session: Conversation
let limit: ReturnType<typeof addPull>
let folder: Awaited<ReturnType<typeof mkdtempDisposable>>
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-01-31T12:00:00Z') })
  folder = await mkdtempDisposable(join(tmpdir(), 'data-'))
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  addIssue(github.world, 'octo/talk', { title: 'The limit is too low' })
  limit = addPull(github.world, 'octo/talk', {
    title: 'Raise the limit',
    body: 'From 10 to 20.',
    labels: ['bug'],
    own: { mergeable: true },
    files: [fileBody({ filename: 'src/limit.ts' }), fileBody({ filename: 'README.md' })],
  })
  addPull(github.world, 'octo/talk', {
    title: 'Typo',
    own: { mergeable: true },
    files: [fileBody({ filename: 'docs/use.md' })],
  })
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN, DATA_DIR: folder.path } })
  session = await startConversation(app)
})
afterEach(async () => {
  vi.useRealTimers()
  await app.close()
  await github.close()
  await folder.remove()
})

const later = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)
const items = async () => (await session.status()).context.items

describe('pull requests in a session', () => {
  it('come with the files that they change, beside the issues', async () => {
    await session.fetch(BOTH)
    expect(await items()).toMatchObject([
      { type: 'github_issue', issue_id: 1, title: 'The limit is too low' },
      { type: 'github_pull_request', pr_id: 3, title: 'Typo', files_changed: ['docs/use.md'] },
      {
        type: 'github_pull_request',
        pr_id: 2,
        title: 'Raise the limit',
        body: 'From 10 to 20.',
        state: 'open',
        url: 'https://github.com/octo/talk/pull/2',
        labels: ['bug'],
        files_changed: expect.arrayContaining(['src/limit.ts', 'README.md']),
        content: expect.stringMatching(/> Raise the limit.*src\/limit\.ts/s),
        metadata: { id: 'github_pull_request:octo/talk#2', repository: 'octo/talk' },
      },
    ])
  })

  it('come by their own request likewise, as the same items', async () => {
    await session.fetch(PULLS)
    const params = { owner: 'octo', repo: 'talk', pull_number: 2 }
    await session.fetch([{ context_type: 'github_pull_request', params }])
    const found = await items()
    expect(found.filter(({ pr_id }) => pr_id === 2)).toMatchObject([
      { title: 'Raise the limit', files_changed: expect.arrayContaining(['src/limit.ts']) },
    ])
  })

  it('are read again only where the list says that they have changed', async () => {
    await session.fetch(PULLS)
    await session.invoke('Hi')
    later(100)
    github.resetCounts()
    expect((await session.invoke('And now?')).context_updates).toEqual([])
    expect([github.count(), github.count({ status: 304 })]).toEqual([1, 1])
    later(100)
    updateIssue(github.world, limit.issue, { body: 'From 10 to 30.' })
    github.resetCounts()
    expect((await session.invoke('And now?')).context_updates).toMatchObject([
      {
        change: 'changed',
        id: 'github_pull_request:octo/talk#2',
        content: '- > From 10 to 20.\n+ > From 10 to 30.',
      },
    ])
    // The list, and the one that changed with its files.
    expect(github.count()).toBe(3)
  })

  it('that were merged are told of, though they have left the list', async () => {
    await session.fetch(PULLS)
    await session.invoke('Hi')
    mergePull(github.world, limit, 'octocat')
    later(100)
    const { context_updates } = await session.invoke('And now?')
    expect(context_updates).toMatchObject([
      {
        change: 'changed',
        id: 'github_pull_request:octo/talk#2',
        content: expect.stringMatching(/^- State: open.*\+ State: merged/ms),
      },
    ])
    expect((await items()).map(({ pr_id, state }) => [pr_id, state])).toEqual([
      [3, 'open'],
      [2, 'merged'],
    ])
  })
})
