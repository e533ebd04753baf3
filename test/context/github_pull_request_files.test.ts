import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changedFilesSuite } from '../suites/changedFiles.ts'
import { type App, type Block, type Context, startApp } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addFiles,
  addPull,
  addRepository,
  fileBody,
  type GitHub,
  OCTOCAT_TOKEN,
  type PullOptions,
  renameRepository,
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

const pull = (options: PullOptions) => addPull(github.world, 'octo/talk', options).issue.body.number

const request = (pull_number: number, params: object = {}) => ({
  context_type: 'github_pull_request_files',
  params: { owner: 'octo', repo: 'talk', pull_number, ...params },
})

describe('github_pull_request_files', () => {
  it('comes page by page, too', async () => {
    const number = pull({ files: changedFiles(25) })
    const all = filesIn((await app.context(request(number))).context).map(({ path }) => path)
    const page = async (params: object) =>
      filesIn((await app.context(request(number, params))).context).map(({ path }) => path)
    const pages = await Promise.all([1, 2, 3, 4].map((at) => page({ page: at, limit: 10 })))
    expect(pages.map(({ length }) => length)).toEqual([10, 10, 5, 0])
    expect(pages.flat().toSorted()).toEqual(all.toSorted())
    expect(pages[1]).toEqual(await page({ offset: 10, limit: 10 }))
    const query = `owner=octo&repo=talk&pull_number=${number}&page=3&limit=10`
    const answer = await app.get(`/mcp/context/github_pull_request_files?${query}`)
    expect(filesIn(answer.json<Context>().context)).toHaveLength(5)
    const both = await app.post(request(number, { page: 2, offset: 10 }))
    expect([both.status, both.text]).toEqual([400, expect.stringContaining('/params/page')])
  })

  it('shows what a pull request changes, as git says', async () => {
    addFiles(github.world, 'octo/talk', { 'a.ts': 'one\n', 'b.ts': 'x\n' }, { branch: 'main' })
    addFiles(
      github.world,
      'octo/talk',
      { 'a.ts': 'two\n', 'b.ts': null, 'c/d.ts': 'new\n' },
      { branch: 'topic', from: 'main' },
    )
    const options = {
      head: 'topic',
      title: 'Count higher',
      user: 'ann',
      author_association: 'NONE',
    }
    const number = pull(options)
    const { context, omitted } = await app.context(request(number))
    expect(context).toEqual([
      {
        type: 'github_pull_request_files',
        id: `github_pull_request_files:octo/talk#${number}@0+3`,
        title: 'Count higher',
        url: `https://github.com/octo/talk/pull/${number}/files`,
        trust: 'stranger',
        total: 3,
        additions: 2,
        deletions: 2,
        files: [
          expect.objectContaining({ path: 'a.ts', additions: 1, deletions: 1, kind: 'patch' }),
          expect.objectContaining({ path: 'b.ts', status: 'removed' }),
          expect.objectContaining({ path: 'c/d.ts', status: 'added' }),
        ],
        content: expect.stringMatching(
          /^# Changed files of octo\/talk#\d+\n> Count higher\nhttps:\S+\nFiles: 3 of 3 · Changes: \+2 −2\n\n### a\.ts \(modified \+1 −1\)\n@@ -1 \+1 @@\n-one\n\+two\n\n### b\.ts/,
        ),
        tokens: expect.any(Number),
      },
    ])
    expect(omitted).toEqual([])
  })

  it('lists without patches, too', async () => {
    const number = pull({ files: changedFiles(25) })
    const { context, omitted } = await app.context(request(number, { detail: 'stats' }))
    expect(filesIn(context).map(({ hunks, hunks_count }) => [hunks.length, hunks_count])).toEqual(
      Array(25).fill([0, 1]),
    )
    expect(context[0]?.content).toContain(
      '\n> modified +2 −1 src/part0000.ts\n> modified +2 −1 test/',
    )
    expect(omitted).toEqual([])
    const tight = await app.context({ ...request(number, { detail: 'stats' }), max_tokens: 250 })
    const gaps = tight.omitted.filter(({ reason }) => reason === 'max_tokens')
    const rest = await follow(app, gaps, { gaps: true })
    const paths = filesIn([...tight.context, ...rest]).map(({ path }) => path)
    expect(paths.toSorted()).toEqual(
      changedFiles(25)
        .map(({ filename }) => filename)
        .toSorted(),
    )
  })

  it('says what GitHub never lists: files past the 3,000th', async () => {
    const number = pull({ files: changedFiles(3_050) })
    const { omitted } = await app.context(request(number, { offset: 2_990, detail: 'stats' }))
    expect(omitted).toEqual([{ what: 'files', count: 50, reason: 'github_limit' }])
  })

  it('finds a file wherever it is in the list', async () => {
    const files = changedFiles(2_300)
    const number = pull({ files })
    const path = files[2_250]?.filename ?? ''
    const { context, omitted } = await app.context(request(number, { paths: [path] }))
    expect([hunksIn(context), omitted]).toEqual([[`${path}#1`], []])
    github.resetCounts()
    github.latencyMs = 300
    await app.block({ ...request(number, { paths: [path], hunks: '1' }), max_age: 0 })
    await app.block({ ...request(number, { paths: ['src/part0000.ts'] }), max_age: 0 })
    github.latencyMs = 0
    expect(github.rounds()).toBe(3)
  })

  it('is empty where nothing changes, and 404 where nothing is', async () => {
    const { context, omitted } = await app.context(request(pull({})))
    expect(context[0]).toMatchObject({ total: 0, files: [] })
    expect(context[0]?.content).toMatch(/No files\.$/)
    expect(omitted).toEqual([])
    expect((await app.post(request(9_999))).status).toBe(404)
    const issue = (await app.post(request(9_998))).json<{ code: string }>()
    expect(issue.code).toBe('not_found')
  })

  it('works for a fork that is gone and an author who is, too', async () => {
    const number = pull({ fork: null, user: null, body: null, files: changedFiles(1) })
    const block = await app.block(request(number))
    expect(filesIn([block])).toHaveLength(1)
    expect(block.content).not.toMatch(/null|undefined/)
  })

  it('asks GitHub in two rounds', async () => {
    const number = pull({ files: changedFiles(450) })
    github.resetCounts()
    github.latencyMs = 300
    await app.block(request(number, { limit: 450 }))
    github.latencyMs = 0
    expect([github.count(), github.rounds()]).toEqual([6, 2])
  })

  it('withholds what strangers wrote from who asks for maintainers', async () => {
    const number = pull({ files: changedFiles(3), user: 'eve', author_association: 'NONE' })
    const { context, omitted } = await app.context({
      ...request(number),
      min_trust: 'maintainer',
    } as never)
    expect(filesIn(context)).toEqual([])
    expect(context[0]?.content).not.toContain('change of file')
    expect(omitted).toMatchObject([{ what: 'files', count: 3, reason: 'min_trust' }])
  })

  it('has a GET form, and a page on GitHub', async () => {
    const number = pull({ files: [fileBody({ filename: 'a.ts', patch: '@@ -1 +1 @@\n-a\n+b' })] })
    for (const path of [
      `/mcp/context/github_pull_request_files?owner=octo&repo=talk&pull_number=${number}&paths=a.ts&hunks=1`,
      `/mcp/context?url=https://github.com/octo/talk/pull/${number}/files`,
    ]) {
      const { context } = (await app.get(path)).json<{ context: Block[] }>()
      expect(hunksIn(context)).toEqual(['a.ts#1'])
    }
  })

  changedFilesSuite({
    app: () => app,
    most: 3_000,
    change: (files) => request(pull({ files })),
  })

  it('goes by the new name after a rename', async () => {
    const number = pull({ files: changedFiles(3) })
    renameRepository(github.world, 'octo/talk', 'Speech')
    const { context, omitted } = await app.context(request(number, { limit: 2 }))
    expect(context[0]?.id).toBe(`github_pull_request_files:octo/Speech#${number}@0+2`)
    expect(omitted[0]?.next?.params).toMatchObject({ repo: 'Speech' })
  })
})
