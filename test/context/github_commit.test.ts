import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changedFilesSuite } from '../suites/changedFiles.ts'
import { type App, type Block, startApp } from '../support/app.ts'
import {
  addFiles,
  addRepository,
  type FileBody,
  type GitHub,
  OCTOCAT_TOKEN,
  renameRepository,
  setCommitFiles,
  startGitHub,
} from '../support/github/index.ts'
import { filesIn } from '../support/patches.ts'

const ENV = {
  GITHUB_TOKEN: OCTOCAT_TOKEN,
  RATE_LIMIT_MAX: '1000000',
  GITHUB_POINTS_PER_MINUTE: '1000000',
}

let github: GitHub
let app: App
let made = 0
beforeAll(async () => {
  github = await startGitHub()
  github.world.limits.core = 1_000_000
  addRepository(github.world, { owner: 'octo', name: 'talk', default_branch: 'main' })
  app = await startApp({ github, env: ENV })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

/** A commit of its own each time, so that no answer of another test is kept for it. */
function commit(files: Record<string, string | Buffer | null>, options: object = {}) {
  made += 1
  return addFiles(github.world, 'octo/talk', files, { message: `Commit ${made}`, ...options })
}

const request = (sha: string, params: object = {}) => ({
  context_type: 'github_commit',
  params: { owner: 'octo', repo: 'talk', sha, ...params },
})

describe('github_commit', () => {
  it('tells who, when, why and what', async () => {
    const parent = commit({ 'a.ts': 'one\n' })
    const { sha } = commit(
      { 'a.ts': 'two\n', 'b.ts': 'new\n' },
      { author: 'octocat', date: '2026-01-02T03:04:05Z', message: 'Count\n\nUp to two.' },
    )
    const { context, omitted } = await app.context(request(sha.slice(0, 8)))
    expect(context).toEqual([
      {
        type: 'github_commit',
        id: `github_commit:octo/talk@${sha}`,
        title: `Commit ${sha.slice(0, 10)} of octo/talk`,
        url: `https://github.com/octo/talk/commit/${sha}`,
        trust: 'stranger',
        sha,
        author: 'octocat',
        author_name: 'octocat',
        committer: 'octocat',
        authored_at: '2026-01-02T03:04:05Z',
        date: '2026-01-02T03:04:05Z',
        verified: false,
        message: 'Count\n\nUp to two.',
        parents: [parent.sha],
        additions: 2,
        deletions: 1,
        files: [
          expect.objectContaining({ path: 'a.ts', status: 'modified', hunks_count: 1, hunks: [] }),
          expect.objectContaining({ path: 'b.ts', status: 'added', hunks: [] }),
        ],
        content: expect.stringMatching(
          new RegExp(
            `^# Commit ${sha} of octo/talk\nhttps://\\S+\nAuthor: octocat · Committed: \\S+ · Parents: ${parent.sha.slice(0, 10)} · Changes: \\+2 −1\n\n> Count\n>\n> Up to two.\n\n> modified \\+1 −1 a.ts\n> added \\+1 −0 b.ts$`,
          ),
        ),
        tokens: expect.any(Number),
      },
    ])
    expect(omitted).toEqual([
      {
        what: 'patches',
        count: 2,
        reason: 'detail',
        next: request(sha, { detail: 'patch', offset: 0, limit: 2 }),
      },
    ])
  })

  it('goes as deep as is asked', async () => {
    const { sha } = commit({ 'a.ts': 'x\n', 'deep.ts': 'y\n' })
    const files = async (detail: string) =>
      filesIn((await app.context(request(sha, { detail }))).context).map(
        ({ hunks }) => hunks.length,
      )
    expect(await files('none')).toEqual([])
    expect(await files('stats')).toEqual([0, 0])
    expect(await files('patch')).toEqual([1, 1])
    expect((await app.context(request(sha, { detail: 'none' }))).omitted).toEqual([])
    expect((await app.context(request(sha, { detail: 'patch' }))).omitted).toEqual([])
    expect((await app.post(request(sha, { detail: 'all' }))).status).toBe(400)
  })

  it('takes branches, whose commits the maintainers let in', async () => {
    const { sha } = commit({ 'c.ts': 'x\n' }, { branch: 'feature/x', from: 'main' })
    const block = await app.block(request('feature/x'))
    expect([block.sha, block.trust]).toEqual([sha, 'maintainer'])
  })

  it('survives what is empty, strange, or not there', async () => {
    const empty = commit({}, { message: ' ', author: { name: 'A\nB', email: 'nobody@x' } })
    const block = await app.block(request(empty.sha))
    expect(block).toMatchObject({ author: null, author_name: 'A B', message: '', files: [] })
    expect(block.content).toContain('Author: A B')
    expect(block.content).not.toMatch(/null|undefined/)
    for (const sha of ['0'.repeat(40), 'no-such-branch']) {
      const answer = await app.post(request(sha))
      expect([sha, answer.status, answer.json<{ code: string }>().code]).toEqual([
        sha,
        404,
        'not_found',
      ])
    }
    expect((await app.post(request('a..b'))).status).toBe(400)
    expect((await app.post(request('a b'))).status).toBe(400)
  })

  it('is kept for long by its full sha, and asked for again by a branch', async () => {
    const { sha } = commit({ 'd.ts': 'x\n' })
    const ttl = async (ref: string) => {
      await app.post(request(ref))
      const again = await app.post(request(ref))
      return Number(/ttl=(\d+)/.exec(String(again.headers['cache-status']))?.[1])
    }
    expect(await ttl(sha)).toBeGreaterThan(400)
    expect(await ttl('main')).toBeLessThan(100)
  })

  it('asks GitHub once, and for many files in two rounds', async () => {
    const { sha } = commit({ 'e.ts': 'x\n' })
    github.resetCounts()
    await app.block(request(sha, { detail: 'patch' }))
    expect(github.count()).toBe(1)
    const files = Array.from({ length: 950 }, (_, i) => ({ filename: `f${i}`, changes: 0 }))
    setCommitFiles(github.world, 'octo/talk', sha, files as unknown as FileBody[])
    github.resetCounts()
    github.latencyMs = 300
    await app.block(request(sha, { limit: 1_000 }))
    github.latencyMs = 0
    expect([github.count(), github.rounds()]).toEqual([4, 2])
  })

  it('has a GET form, and a page on GitHub', async () => {
    const { sha } = commit({ 'f.ts': 'x\n' })
    for (const path of [
      `/mcp/context/github_commit?owner=octo&repo=talk&sha=${sha}&detail=patch&paths=f.ts&hunks=1`,
      `/mcp/context?url=https://github.com/octo/talk/commit/${sha}`,
    ]) {
      const [block] = (await app.get(path)).json<{ context: Block[] }>().context
      expect(block?.sha).toBe(sha)
    }
  })

  changedFilesSuite({
    app: () => app,
    most: 3_000,
    change(files) {
      const { sha } = commit({ 'change.ts': `${made}\n` })
      setCommitFiles(github.world, 'octo/talk', sha, files)
      return request(sha)
    },
  })

  it('goes by the new name after a rename', async () => {
    const { sha } = commit({ 'g.ts': 'x\n' })
    renameRepository(github.world, 'octo/talk', 'Speech')
    const { context, omitted } = await app.context(request(sha))
    expect(context[0]?.id).toBe(`github_commit:octo/Speech@${sha}`)
    expect(omitted[0]?.next?.params).toMatchObject({ repo: 'Speech' })
  })

  it('of a private repository is not shown to strangers', async () => {
    addRepository(github.world, { owner: 'octo', name: 'secret', private: true })
    const { sha } = addFiles(github.world, 'octo/secret', { 'a.ts': 'x' })
    const answer = await app.post({
      context_type: 'github_commit',
      params: { owner: 'octo', repo: 'secret', sha },
    })
    expect(answer.status).toBe(404)
  })
})
