import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import {
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
