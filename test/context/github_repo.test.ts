import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type ContextRequest, startApp } from '../support/app.ts'
import {
  addAccount,
  addFiles,
  addRelease,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  type RepositoryOptions,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const request = (owner: string, repo: string) => ({
  context_type: 'github_repo',
  params: { owner, repo },
})
const added = (options: Partial<RepositoryOptions> = {}) => {
  addRepository(github.world, { owner: 'octo', name: 'talk', ...options })
  return app.block(request('octo', 'talk'))
}

describe('github_repo', () => {
  it('tells all that GitHub documents of a repository', async () => {
    const block = await app.block(request('octocat', 'Hello-World'))
    expect(block).toEqual({
      type: 'github_repository',
      trust: 'maintainer',
      id: 'github_repository:octocat/Hello-World',
      title: 'octocat/Hello-World',
      url: 'https://github.com/octocat/Hello-World',
      description: 'This your first repo!',
      stars: 80,
      forks: 9,
      language: null,
      default_branch: 'master',
      topics: ['octocat', 'atom', 'electron', 'api'],
      license: 'MIT',
      archived: false,
      open_issues: 0,
      pushed_at: '2011-01-26T19:06:43Z',
      visibility: 'public',
      content: expect.any(String),
      tokens: expect.any(Number),
    })
    for (const text of [
      '# octocat/Hello-World',
      'https://github.com/octocat/Hello-World',
      'This your first repo!',
      'Stars: 80',
      'Forks: 9',
      'License: MIT',
      'Default branch: master',
      'octocat, atom, electron, api',
      '2011-01-26T19:06:43Z',
    ])
      expect(block.content).toContain(text)
    expect(block.content).not.toMatch(/null|undefined|\[object/)
  })

  it('says null where GitHub does, in words where a reader would miss it', async () => {
    const block = await added({
      description: null,
      language: null,
      license: null,
      pushed_at: null,
      topics: [],
    })
    expect(block).toMatchObject({
      description: null,
      language: null,
      license: null,
      pushed_at: null,
      topics: [],
    })
    expect(block.content).toMatch(
      /No description\.[\s\S]*License: none stated[\s\S]*Last push: never/,
    )
    expect(block.content).not.toMatch(/null|undefined|Language|Topics/)
  })

  it('does without what older servers do not send', async () => {
    const block = await added({ topics: undefined, visibility: undefined, private: false })
    expect(block).toMatchObject({ topics: [], visibility: 'public' })
  })

  it('names a licence without an SPDX identifier', async () => {
    const license = { key: 'other', name: 'Own Terms 1.0', spdx_id: 'NOASSERTION', url: null }
    expect((await added({ license })).license).toBe('Own Terms 1.0')
  })

  it('says what is archived, and what is private', async () => {
    await using owner = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
    addRepository(github.world, { owner: 'octocat', name: 'own', private: true, archived: true })
    const block = await owner.block(request('octocat', 'own'))
    expect(block).toMatchObject({ archived: true, visibility: 'private' })
    expect(block.content).toMatch(/Visibility: private · Archived: yes/)
  })

  it('follows a rename to the new name, and counts both calls', async () => {
    await added()
    renameRepository(github.world, 'octo/talk', 'speech')
    github.resetCounts()
    const answer = await app.post({ ...request('octo', 'talk'), max_age: 0 })
    expect(answer.json()).toMatchObject({ context: [{ title: 'octo/speech' }] })
    expect(github.requests.map(({ status }) => status)).toEqual([301, 200])
    expect(answer.headers['x-github-requests']).toBe('2')
  })

  it('asks GitHub once, whatever the case of the names', async () => {
    const names = ['octocat/Hello-World', 'Octocat/hello-world', 'OCTOCAT/HELLO-WORLD']
    const answers = []
    for (const name of names) {
      const [owner = '', repo = ''] = name.split('/')
      answers.push((await app.post(request(owner, repo))).text)
    }
    expect(new Set(answers).size).toBe(1)
    expect(github.count()).toBe(1)
  })

  it('names what a small budget leaves out, and leaves it out everywhere', async () => {
    const topics = Array.from({ length: 20 }, (_, i) => `wonderful-topic-${i}`)
    const description = 'An exceedingly long description of things. '.repeat(8)
    addRepository(github.world, { owner: 'octo', name: 'talk', topics, description })
    const { context, omitted } = await app.context({ ...request('octo', 'talk'), max_tokens: 100 })
    for (const block of context) {
      expect(block.tokens).toBeLessThanOrEqual(100)
      for (const topic of block.topics as string[]) expect(block.content).toContain(topic)
    }
    expect(omitted).toContainEqual(
      expect.objectContaining({ reason: 'max_tokens', next: request('octo', 'talk') }),
    )
  })
})

describe('parts of a repository', () => {
  const ALL = ['readme', 'languages', 'tree', 'commits', 'releases', 'contributors']
  const parts = (include: readonly string[], more: Partial<ContextRequest> = {}) => ({
    context_type: 'github_repo',
    params: { owner: 'octo', repo: 'talk', include },
    ...more,
  })
  const day = (number: number) => `2026-01-${String(number).padStart(2, '0')}T00:00:00Z`

  function fill() {
    const { world } = github
    addAccount(world, { login: 'ann', token: 'ann-token' })
    addRepository(world, { owner: 'octo', name: 'talk', default_branch: 'main' })
    addFiles(
      world,
      'octo/talk',
      {
        'README.md': '# Talk\n\nTalks to people.\n',
        'src/main.ts': 'x'.repeat(750),
        'src/tool.py': 'y'.repeat(250),
        'package.json': '{}',
      },
      { author: 'ann', message: 'Begin\n\nWith more words.', date: day(1) },
    )
    for (let i = 2; i <= 12; i++) {
      const author = i % 2 ? 'ann' : { name: 'Bob', email: 'bob@example.com' }
      addFiles(
        world,
        'octo/talk',
        { 'package.json': `${i}` },
        { author, message: `Change ${i}`, date: day(i) },
      )
    }
    addRelease(world, 'octo/talk', { tag_name: 'v1', created_at: day(3), assets: ['talk.zip'] })
    addRelease(world, 'octo/talk', { tag_name: 'v2', created_at: day(9), body: 'Louder.' })
    addRelease(world, 'octo/talk', { tag_name: 'v3', created_at: day(11), prerelease: true })
  }

  it('are its architecture at a glance, fetched side by side', async () => {
    fill()
    github.latencyMs = 300
    const { context, omitted } = await app.context(parts(ALL))
    expect(github.count()).toBe(7)
    expect(github.rounds()).toBeLessThanOrEqual(2)
    expect(context[0]).toMatchObject({
      languages: [
        { name: 'TypeScript', percent: 75 },
        { name: 'Python', percent: 25 },
      ],
      tree: [
        { path: 'README.md', type: 'file', size: 25 },
        { path: 'package.json', type: 'file', size: 2 },
        { path: 'src', type: 'dir', files: null },
      ],
      latest_release: { tag: 'v2', notes: 'Louder.', published_at: expect.any(String) },
      contributors: [{ login: 'ann', commits: 6 }],
      readme_path: 'README.md',
      readme: '# Talk\n\nTalks to people.\n',
    })
    const { commits, content, latest_release } = context[0] as never as {
      commits: object[]
      content: string
      latest_release: object
    }
    expect(commits).toHaveLength(10)
    expect(commits.slice(0, 2)).toMatchObject([
      { author: 'Bob', subject: 'Change 12', date: day(12) },
      { author: 'ann', subject: 'Change 11' },
    ])
    expect(latest_release).not.toHaveProperty('assets')
    for (const text of [
      'Languages: TypeScript 75 %, Python 25 %',
      '## Files, sizes in bytes\n> README.md 25\n> package.json 2\n> src/',
      '## Latest release: v2\n',
      '> Louder.',
      '## Newest commits\n> ',
      '2026-01-12 Bob: Change 12\n> ',
      'Contributors, with commits: ann 6',
      '## README.md\n> # Talk\n>\n> Talks to people.',
    ]) {
      expect(content).toContain(text)
    }
    const next = (context_type: string, params: object = {}) => ({
      context_type,
      params: { owner: 'octo', repo: 'talk', ...params },
    })
    expect(omitted).toEqual([
      { what: 'tree', reason: 'depth', next: next('github_tree', { min_depth: 2 }) },
      { what: 'releases', reason: 'latest_only', next: next('github_releases') },
      { what: 'commits', reason: 'limit', next: next('github_commits', { offset: 10 }) },
    ])
  })

  it('cost nothing where none is asked for', async () => {
    fill()
    const { context, omitted } = await app.context({
      context_type: 'github_repo',
      params: { owner: 'octo', repo: 'talk' },
    })
    expect(github.count()).toBe(1)
    expect(omitted).toEqual([])
    for (const field of [
      'languages',
      'tree',
      'latest_release',
      'commits',
      'contributors',
      'readme',
    ]) {
      expect(context[0]).not.toHaveProperty(field)
    }
    expect(Object.keys(await app.block(parts(['languages'])))).toContain('languages')
    expect(github.count()).toBe(3)
  })

  it('that are not there are simply absent', async () => {
    addRepository(github.world, { owner: 'octo', name: 'talk' })
    const { context, omitted } = await app.context(parts(ALL))
    expect(github.requests.map(({ status }) => status).toSorted()).toEqual([
      200, 200, 204, 404, 404, 409, 409,
    ])
    expect(omitted).toEqual([])
    expect(Object.keys(context[0] ?? {})).not.toContain('readme')
    expect(context[0]?.content).not.toContain('## ')
  })

  it('that the credential may not read are named', async () => {
    fill()
    github.fault({ match: /contributors/, kind: 'status', status: 403 })
    const { context, omitted } = await app.context(parts(['contributors', 'languages']))
    expect(omitted).toEqual([{ what: 'contributors', reason: 'forbidden' }])
    expect(context[0]).toHaveProperty('languages')
    expect(context[0]).not.toHaveProperty('contributors')
  })

  it('fail the answer where GitHub fails, and where there is no repository', async () => {
    expect((await app.post(parts(ALL))).status).toBe(404)
    fill()
    github.fault({ match: /readme/, kind: 'status', status: 500 })
    expect((await app.post(parts(ALL, { max_age: 0 }))).status).toBe(502)
  })

  it('fit the budget, what was left out with the request that fetches it', async () => {
    fill()
    addFiles(github.world, 'octo/talk', { 'README.md': '# Talk\n\nIt talks a lot. '.repeat(300) })
    const { context, omitted, tokens } = await app.context(parts(ALL, { max_tokens: 400 }))
    expect(tokens).toBeLessThanOrEqual(400)
    const [block] = context
    expect(block?.languages).toBeDefined()
    const inContent = String(block?.content).replaceAll(/^> ?/gm, '')
    for (const line of String(block?.readme).split('\n')) expect(inContent).toContain(line)
    const left = omitted.filter(({ reason }) => reason === 'max_tokens')
    expect(left).toContainEqual({
      what: 'readme',
      count: 1,
      reason: 'max_tokens',
      next: {
        context_type: 'github_file',
        params: { owner: 'octo', repo: 'talk', path: 'README.md' },
      },
    })
    for (const { what } of left) {
      if (what !== 'readme') expect(block).not.toHaveProperty(what)
    }
  })

  it('say what of a long list is left out', async () => {
    addRepository(github.world, { owner: 'octo', name: 'talk', default_branch: 'main' })
    const files = Array.from({ length: 120 }, (_, i) => [`f${i}`, ''] as const)
    addFiles(github.world, 'octo/talk', Object.fromEntries(files))
    for (let i = 0; i < 32; i++) {
      addFiles(github.world, 'octo/talk', { f0: `${i}` }, { author: 'octocat' })
      github.world.profiles.set(`u${i}`, { login: `u${i}`, id: i, type: 'User' })
      addFiles(github.world, 'octo/talk', { f1: `${i}` }, { author: `u${i}` })
    }
    const { context, omitted } = await app.context(parts(['tree', 'contributors']))
    expect(context[0]?.tree).toHaveLength(100)
    expect(context[0]?.contributors).toHaveLength(30)
    expect(omitted).toEqual([
      {
        what: 'tree',
        count: 20,
        reason: 'limit',
        next: {
          context_type: 'github_tree',
          params: { owner: 'octo', repo: 'talk', depth: 1, offset: 100 },
        },
      },
      {
        what: 'contributors',
        reason: 'limit',
        next: {
          context_type: 'github_repo',
          params: { owner: 'octo', repo: 'talk', include: ['contributors'], offset: 30, limit: 30 },
        },
      },
    ])
    const rest = await app.block(omitted[0]?.next as never)
    const shown = context[0]?.tree as object[]
    expect([...shown, ...(rest.entries as object[])]).toHaveLength(120)
    const others = await app.context(omitted[1]?.next as never)
    expect(others.omitted).toEqual([])
    expect(others.context[0]?.content).not.toContain('Stars')
    const known = [context, others.context].flatMap(
      (blocks) => blocks[0]?.contributors as { login: string }[],
    )
    expect(new Set(known.map(({ login }) => login)).size).toBe(33)
    expect(known).toHaveLength(33)
  })

  it('come window by window where they have no type of their own', async () => {
    addRepository(github.world, { owner: 'octo', name: 'talk', default_branch: 'main' })
    const refused = await app.post({
      context_type: 'github_repo',
      params: { owner: 'octo', repo: 'talk', include: ['readme'], limit: 5 },
    })
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('github_tree')])
  })

  it('are asked for and answered under the new name after a rename', async () => {
    fill()
    renameRepository(github.world, 'octo/talk', 'speech')
    const { context, omitted } = await app.context(parts(ALL))
    expect(context[0]).toMatchObject({ title: 'octo/speech', readme_path: 'README.md' })
    expect(new Set(omitted.map(({ next }) => next?.params.repo))).toEqual(new Set(['speech']))
  })

  it('are a query too, and only those that there are', async () => {
    fill()
    const path = '/mcp/context/github_repo?owner=octo&repo=talk&include=languages,readme'
    const answer = await app.get(path)
    expect(answer.json<{ context: object[] }>().context[0]).toMatchObject({
      readme_path: 'README.md',
    })
    expect((await app.post(parts(['wiki']))).status).toBe(400)
  })
})
