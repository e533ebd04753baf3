import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changedFilesSuite } from '../suites/changedFiles.ts'
import { type App, type Block, startApp } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addFiles,
  addRepository,
  fileBody,
  type GitHub,
  OCTOCAT_TOKEN,
  renameRepository,
  setCommitFiles,
  startGitHub,
} from '../support/github/index.ts'
import { changedFiles, filesIn, hunksIn } from '../support/patches.ts'

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
  commit('main', 2)
  app = await startApp({ github, env: ENV })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

/** Commits a minute apart, on a branch that starts from main. */
function commit(branch: string, count: number, repository = 'octo/talk') {
  return Array.from({ length: count }, (_, i) => {
    made += 1
    return addFiles(
      github.world,
      repository,
      { [`${branch}/${i}.ts`]: `${i}\n` },
      {
        branch,
        ...(branch === 'main' ? {} : { from: 'main' }),
        message: `Step ${i} on ${branch}`,
        author: 'octocat',
        date: new Date(Date.UTC(2026, 0, 1, 0, made)).toISOString().replace('.000', ''),
      },
    )
  })
}

const request = (base: string, head: string, params: object = {}) => ({
  context_type: 'github_compare',
  params: { owner: 'octo', repo: 'talk', base, head, ...params },
})

const steps = (blocks: readonly Block[]) =>
  blocks
    .flatMap(({ commits }) => (commits ?? []) as readonly { message: string }[])
    .map(({ message }) => Number(/^Step (\d+)/.exec(message)?.[1]))
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('github_compare', () => {
  it('tells what one has and the other has not', async () => {
    const [first, second] = commit('topic', 2)
    const [main] = commit('main', 1)
    const { context, omitted } = await app.context(request('main', 'topic'))
    expect(context).toEqual([
      {
        type: 'github_compare',
        id: 'github_compare:octo/talk@main...topic',
        title: 'main...topic of octo/talk',
        url: 'https://github.com/octo/talk/compare/main...topic',
        trust: 'maintainer',
        base: 'main',
        head: 'topic',
        status: 'diverged',
        ahead_by: 2,
        behind_by: 1,
        merge_base: expect.stringMatching(/^[0-9a-f]{40}$/),
        commits: [
          expect.objectContaining({
            sha: first?.sha,
            author: 'octocat',
            message: 'Step 0 on topic',
          }),
          expect.objectContaining({ sha: second?.sha, message: 'Step 1 on topic' }),
        ],
        files: [
          expect.objectContaining({ path: 'topic/0.ts', status: 'added', hunks: [] }),
          expect.objectContaining({ path: 'topic/1.ts' }),
        ],
        content: expect.stringMatching(
          /^# topic compared with main, octo\/talk\nhttps:\S+\nStatus: diverged · Ahead: 2 · Behind: 1 · Merge base: \w{10} · Files: 2\n\n### \w{10} octocat, \S+\n> Step 0 on topic\n\n### [\s\S]*\n\n> added \+1 −0 topic\/0\.ts\n> added \+1 −0 topic\/1\.ts$/,
        ),
        tokens: expect.any(Number),
      },
    ])
    expect(omitted).toEqual([
      {
        what: 'patches',
        count: 2,
        reason: 'detail',
        next: request('main', 'topic', { commits_limit: 0, offset: 0, limit: 2, detail: 'patch' }),
      },
    ])
    expect((await app.block(request('topic', main?.sha ?? ''))).trust).toBe('stranger')
  })

  it('says when there is nothing between', async () => {
    const { context, omitted } = await app.context(request('main', 'main'))
    expect(context[0]).toMatchObject({ status: 'identical', ahead_by: 0, commits: [], files: [] })
    expect(omitted).toEqual([])
    expect((await app.post(request('main', 'none'))).status).toBe(404)
  })

  it('goes past the 250 commits that GitHub tells at once', async () => {
    commit('long', 330)
    const { context, omitted } = await app.context(request('main', 'long', { detail: 'none' }))
    expect(steps(context)).toEqual(upTo(100))
    expect(omitted).toEqual([
      {
        what: 'commits',
        count: 230,
        reason: 'limit',
        next: request('main', 'long', { detail: 'none', commits_offset: 100, commits_limit: 100 }),
      },
    ])
    expect(steps([...context, ...(await follow(app, omitted))])).toEqual(upTo(330))
    const whole = await app.context(request('main', 'long', { commits_limit: 1_000 }))
    expect(steps(whole.context)).toEqual(upTo(330))
  })

  it('names the gaps that a budget makes, and fills them exactly once', async () => {
    const asked = request('main', 'long', { detail: 'none', commits_limit: 330 })
    const { context, omitted, tokens } = await app.context({ ...asked, max_tokens: 600 })
    expect(tokens).toBeLessThanOrEqual(600)
    const kept = steps(context)
    // The newest matter most.
    expect(kept).toContain(329)
    expect(kept).not.toContain(0)
    const rest = steps(await follow(app, omitted, { gaps: true }))
    expect([...kept, ...rest].toSorted((a, b) => a - b)).toEqual(upTo(330))
  })

  it('leads past the 300 files that GitHub tells of a comparison', async () => {
    const shas = commit('wide', 4).map(({ sha }) => sha)
    const files = changedFiles(800)
    shas.forEach((sha, i) => {
      setCommitFiles(github.world, 'octo/talk', sha, files.slice(i * 200, (i + 1) * 200))
    })
    const { context, omitted } = await app.context(request('main', 'wide'))
    expect(filesIn(context)).toHaveLength(300)
    const found = new Set(filesIn(context).map(({ path }) => path))
    const ahead = [...omitted]
    for (let omission = ahead.shift(); omission; omission = ahead.shift()) {
      if (omission.reason !== 'github_limit') continue
      if (!omission.next) throw new Error('no way on')
      const answer = await app.context(omission.next)
      for (const { path } of filesIn(answer.context)) found.add(path)
      ahead.push(...answer.omitted)
    }
    expect(found.size).toBe(800)
  })

  it('takes forks, if the operator does', async () => {
    addRepository(github.world, { owner: 'zoe', name: 'talk', default_branch: 'main' })
    const parent = github.world.names.get('octo/talk') ?? 0
    const git = github.world.repositories.get(parent)?.git
    const fork = github.world.repositories.get(github.world.names.get('zoe/talk') ?? 0)
    if (!git || !fork) throw new Error('no fork')
    Object.assign(fork, { git: { ...git, branches: new Map(git.branches) } })
    commit('patch', 1, 'zoe/talk')
    const block = await app.block(request('main', 'zoe:patch'))
    expect([block.ahead_by, block.trust]).toEqual([1, 'stranger'])
    await using narrow = await startApp({ github, env: { ...ENV, ALLOWED_REPOS: 'octo/*' } })
    expect((await narrow.post(request('main', 'zoe:patch'))).status).toBe(403)
    expect((await narrow.post(request('main', 'topic'))).status).toBe(200)
  })

  it.each([
    ['base', '../x'],
    ['head', 'a..b'],
    ['head', 'a:b:c:d'],
    ['commits_limit', -1],
    ['limit', 301],
  ])('refuses %s %o', async (name, value) => {
    expect((await app.post(request('main', 'topic', { [name]: value }))).status).toBe(400)
  })

  it('asks GitHub in two rounds at most', async () => {
    for (const [params, requests] of [
      [{ detail: 'none', commits_limit: 330 }, 4],
      [{ commits_offset: 200, commits_limit: 100 }, 2],
      [{ commits_limit: 0 }, 1],
    ] as const) {
      github.resetCounts()
      github.latencyMs = 300
      await app.block({ ...request('main', 'long', params), max_age: 0 })
      github.latencyMs = 0
      expect([github.count(), github.rounds() <= 2]).toEqual([requests, true])
    }
  })

  it('is kept for long between full shas', async () => {
    const [first, second] = commit('kept', 2)
    const ttl = async (base: string, head: string) => {
      await app.post(request(base, head))
      const again = await app.post(request(base, head))
      return Number(/ttl=(\d+)/.exec(String(again.headers['cache-status']))?.[1])
    }
    expect(await ttl(first?.sha ?? '', second?.sha ?? '')).toBeGreaterThan(400)
    expect(await ttl('main', second?.sha ?? '')).toBeLessThan(100)
  })

  it('has a GET form, and a page on GitHub, with slashes in branches', async () => {
    commit('feature/x', 1)
    for (const path of [
      '/mcp/context/github_compare?owner=octo&repo=talk&base=main&head=feature/x',
      '/mcp/context?url=https://github.com/octo/talk/compare/main...feature/x',
      '/mcp/context?url=https://github.com/octo/talk/compare/main...feature%252Fx',
    ]) {
      const [block] = (await app.get(path)).json<{ context: Block[] }>().context
      expect(block).toMatchObject({ base: 'main', head: 'feature/x', ahead_by: 1 })
    }
  })

  changedFilesSuite({
    app: () => app,
    most: 300,
    change(files) {
      const branch = `change-${made}`
      const [made_] = commit(branch, 1)
      setCommitFiles(github.world, 'octo/talk', made_?.sha ?? '', files)
      return request('main', branch)
    },
  })

  it('goes by the new name after a rename', async () => {
    const [{ sha } = { sha: '' }] = commit('renamed', 1)
    setCommitFiles(github.world, 'octo/talk', sha, [fileBody({ filename: 'a.png' })])
    renameRepository(github.world, 'octo/talk', 'Speech')
    const { context, omitted } = await app.context(request('main', 'renamed'))
    expect(context[0]?.id).toBe('github_compare:octo/Speech@main...renamed')
    expect(omitted[0]?.next?.params).toMatchObject({ repo: 'Speech' })
    expect(hunksIn(context)).toEqual(['a.png'])
  })
})
