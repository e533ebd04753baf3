import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, type Block, startApp } from '../support/app.ts'
import {
  addRelease,
  addRepository,
  deleteRepository,
  type GitHub,
  type ReleaseOptions,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  github.world.anonymousLimits.core = 10_000
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  app = await startApp({ github })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const request = (params: object = {}) => ({
  context_type: 'github_release',
  params: { owner: 'octo', repo: 'talk', ...params },
})
const add = (options: ReleaseOptions) => addRelease(github.world, 'octo/talk', options)
const day = (number: number) => `2026-01-0${number}T00:00:00Z`

describe('github_release', () => {
  it('tells all that GitHub documents of a release', async () => {
    const block = await app.block(request({ owner: 'octocat', repo: 'Hello-World', tag: 'v1.0.0' }))
    expect(block).toEqual({
      type: 'github_release',
      id: 'github_release:octocat/Hello-World@v1.0.0',
      title: 'v1.0.0',
      url: 'https://github.com/octocat/Hello-World/releases/v1.0.0',
      trust: 'maintainer',
      tag: 'v1.0.0',
      name: 'v1.0.0',
      author: 'octocat',
      draft: false,
      prerelease: false,
      created_at: '2013-02-27T19:35:32Z',
      published_at: '2013-02-27T19:35:32Z',
      notes: 'Description of the release',
      assets: [
        {
          name: 'example.zip',
          size: 1024,
          downloads: 42,
          url: 'https://github.com/octocat/Hello-World/releases/download/v1.0.0/example.zip',
        },
      ],
      content: expect.any(String),
      tokens: expect.any(Number),
    })
    expect(block.content).toBe(
      '# Release v1.0.0 of octocat/Hello-World\n> v1.0.0\n' +
        'https://github.com/octocat/Hello-World/releases/v1.0.0\n' +
        'Published: 2013-02-27T19:35:32Z · Author: octocat\n\n> Description of the release\n\n' +
        '## Assets: name, bytes, downloads\n> example.zip 1024 42',
    )
  })

  it('is the latest unless a tag is given', async () => {
    add({ tag_name: 'v1', created_at: day(1) })
    add({ tag_name: 'v2', created_at: day(2) })
    add({ tag_name: 'v3', created_at: day(3), prerelease: true })
    expect((await app.block(request())).tag).toBe('v2')
    expect((await app.block(request({ tag: 'latest' }))).tag).toBe('v2')
    expect((await app.block(request({ tag: 'v3' }))).tag).toBe('v3')
    expect(github.count()).toBe(2)
  })

  it('takes any tag that git takes', async () => {
    for (const tag of ['release/1.0', 'v1#2', 'ü', 'a%2Fb', '@scope/pkg@1.0.0']) {
      add({ tag_name: tag })
      expect((await app.block(request({ tag }))).tag).toBe(tag)
    }
    expect((await app.post(request({ tag: 'a b' }))).status).toBe(400)
  })

  it('says null where GitHub does', async () => {
    add({ tag_name: 'v1', name: null, body: null, author: null })
    const block = await app.block(request({ tag: 'v1' }))
    expect(block).toMatchObject({ title: 'v1', name: null, notes: '', author: 'ghost', assets: [] })
    expect(block.content).toContain('(no notes)')
    expect(block.content).not.toMatch(/null|undefined|Assets/)
  })

  it('fits a budget: notes are cut where they may be, assets kept or named', async () => {
    add({
      tag_name: 'v1',
      body: Array.from({ length: 400 }, (_, i) => `Change number ${i} does something.`).join('\n'),
      assets: Array.from({ length: 120 }, (_, i) => `talk-${i}.zip`),
    })
    const { context, omitted, tokens } = await app.context({
      ...request({ tag: 'v1' }),
      max_tokens: 500,
    })
    expect(tokens).toBeLessThanOrEqual(500)
    expect(context[0]?.notes).toContain('tokens omitted]')
    const next = request({ tag: 'v1', limit: 0 })
    expect(omitted).toContainEqual({ what: 'notes', count: 1, reason: 'max_tokens', next })
    expect(await app.block(next)).toMatchObject({ assets: [], notes: expect.stringMatching(/399/) })
    const left = omitted.filter(({ what }) => what === 'assets')
    const lost = left.reduce((sum, { count = 0 }) => sum + count, 0)
    const { assets } = context[0] as Block
    expect((assets as object[]).length + lost).toBe(120)
    expect((await app.block(request({ tag: 'v1' }))).assets).toHaveLength(120)
  })

  it('is asked for once', async () => {
    add({ tag_name: 'v1' })
    await app.block(request({ tag: 'v1' }))
    expect(github.count()).toBe(1)
  })

  it('is not found, forbidden or gone as GitHub says', async () => {
    const status = async (params: object) =>
      (await app.post({ ...request(params), max_age: 0 })).status
    expect(await status({})).toBe(404)
    add({ tag_name: 'v1', draft: true })
    expect(await status({ tag: 'v1' })).toBe(404)
    add({ tag_name: 'v2' })
    expect(await status({ tag: 'v2' })).toBe(200)
    github.fault({ match: /releases/, kind: 'status', status: 403 })
    expect(await status({ tag: 'v2' })).toBe(403)
    github.clearFaults()
    deleteRepository(github.world, 'octo/talk')
    expect(await status({ tag: 'v2' })).toBe(404)
  })

  it('is found by its page under the new name of a repository', async () => {
    add({ tag_name: 'release/1.0' })
    renameRepository(github.world, 'octo/talk', 'speech')
    const page = encodeURIComponent('https://github.com/octo/talk/releases/tag/release/1.0')
    const answer = await app.get(`/mcp/context?url=${page}`)
    expect(answer.json<{ context: Block[] }>().context[0]?.id).toBe(
      'github_release:octo/speech@release/1.0',
    )
  })
})
