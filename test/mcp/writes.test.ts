import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import {
  addAccount,
  addIssue,
  addPull,
  addRepository,
  type GitHub,
  issueOf,
  renameRepository,
  startGitHub,
} from '../support/github/index.ts'
import { call, ERAS, rpc } from '../support/mcp/client.ts'

const TOKEN = ['ghp', 'wrt'.repeat(12)].join('_')
const FRIEND = ['ghp', 'friend'.repeat(6)].join('_')
const REPOSITORY = 'octo/talk'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  addAccount(github.world, { login: 'octo', token: TOKEN, limits: { core: 100_000 } })
  addAccount(github.world, { login: 'friend', token: FRIEND })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  addIssue(github.world, REPOSITORY, { title: 'First' })
  app = await start()
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const start = (env: Record<string, string> = {}) =>
  startApp({ github, env: { GITHUB_TOKEN: TOKEN, ENABLE_WRITES: 'true', ...env } })
const create = (args: object = {}, on = app) =>
  call(on, 'github_create_issue', { repository: REPOSITORY, title: 'It breaks', ...args })
const comment = (args: object = {}, on = app) =>
  call(on, 'github_add_comment', {
    repository: REPOSITORY,
    issue_number: 1,
    body: 'Me too',
    ...args,
  })
const saidBy = async (result: ReturnType<typeof create>) => {
  const { content, isError } = await result
  expect(isError).toBe(true)
  return content[0]?.text ?? ''
}
const posts = () => github.count({ method: 'POST' })
const titles = async () => {
  const listed = await call(app, 'github_list_issues', { repository: REPOSITORY, state: 'all' })
  return listed.structuredContent.context[0].issues.map(({ title }: { title: string }) => title)
}

describe('github_create_issue', () => {
  it('makes an issue, which is in every list from then on', async () => {
    expect(await titles()).toEqual(['First'])
    const made = await create({ body: 'At night.', labels: ['bug'], assignees: ['friend'] })
    const url = 'https://github.com/octo/talk/issues/2'
    expect(made.structuredContent).toEqual({ number: 2, url })
    expect(made.content).toEqual([{ type: 'text', text: `Created issue #2: ${url}` }])
    const { body } = issueOf(github.world, REPOSITORY, 2)
    expect(body).toMatchObject({
      title: 'It breaks',
      body: 'At night.',
      user: { login: 'octo' },
      labels: [{ name: 'bug' }],
      assignees: [{ login: 'friend' }],
    })
    expect(await titles()).toEqual(['It breaks', 'First'])
  })

  it.each([
    [{ title: 'ab' }, /^title: .*3/],
    [{ title: 'x'.repeat(257) }, /^title: .*256/],
    [{ title: undefined }, /^title: is required/],
    [{ repository: 'talk' }, /^(owner|repository): /],
    [{ repository: '../x' }, /^owner: does not have the right form/],
    [{ labels: 'bug' }, /^labels: /],
    [{ assignees: ['not a login'] }, /^assignees\/0: /],
    [{ body: 'x'.repeat(65_537) }, /^body: .*65536/],
    [{ labls: [] }, /^labls: is not a parameter of github_create_issue; did you mean "labels"/],
  ])('does not send what is wrong: %o', async (args, said) => {
    expect(await saidBy(create(args))).toMatch(said)
    expect(posts()).toBe(0)
  })

  it('takes titles of 3 and of 256 characters', async () => {
    expect((await create({ title: 'abc' })).isError).toBeUndefined()
    expect((await create({ title: 'x'.repeat(256) })).isError).toBeUndefined()
  })
})

describe('github_add_comment', () => {
  it('adds to an issue, which is read anew', async () => {
    const read = () => call(app, 'github_issue', { repo: REPOSITORY, issue_number: 1 })
    expect((await read()).content[0]?.text).not.toContain('Me too')
    const { structuredContent } = await comment({ issue_number: '1' })
    expect(structuredContent.number).toBe(1)
    expect(structuredContent.url).toMatch(/issues\/1#issuecomment-\d+$/)
    expect((await read()).content[0]?.text).toContain('Me too')
  })

  it('adds to a pull request by its number', async () => {
    const pull = addPull(github.world, REPOSITORY)
    const issue_number = pull.issue.body.number
    expect((await comment({ issue_number })).structuredContent.number).toBe(issue_number)
  })

  it('says so where there is no such issue', async () => {
    expect(await saidBy(comment({ issue_number: 99 }))).toMatch(/^GitHub has nothing here/)
    expect(await saidBy(comment({ body: '' }))).toMatch(/^body: /)
  })
})

describe('a write', () => {
  it('is not there unless the operator switches it on', async () => {
    await using reading = await start({ ENABLE_WRITES: 'false' })
    for (const revision of ERAS) {
      const params = { name: 'github_create_issue', arguments: { repository: REPOSITORY } }
      expect((await rpc(reading, revision, 'tools/call', params)).error?.code).toBe(-32602)
    }
    expect(posts()).toBe(0)
  })

  it.each([
    [
      { kind: 'status', status: 502 } as const,
      /^GitHub did not confirm it\. It may have been done/,
    ],
    [{ kind: 'status', status: 418 } as const, /^GitHub answered 418/],
    [{ kind: 'reset' } as const, /^GitHub did not confirm it\. It may have been done/],
    [{ kind: 'hang' } as const, /^GitHub did not confirm it\. It may have been done/],
    [{ kind: 'truncate' } as const, /^GitHub did not confirm it/],
    [{ kind: 'status', status: 201, body: 'no json' } as const, /^GitHub did not confirm it/],
    [{ kind: 'secondary-limit', retryAfter: 7 } as const, /limit is reached\. Retry after 7 s/],
  ])('is sent once, whatever comes back: %o', async (fault, said) => {
    await using hasty = await start({ GITHUB_TIMEOUT_MS: '400' })
    github.fault({ match: '/repos/octo/talk/issues', ...fault })
    expect(await saidBy(create({}, hasty))).toMatch(said)
    expect(posts()).toBe(1)
  })

  it('goes nowhere but where the allowlist lets it', async () => {
    await using narrow = await start({ ALLOWED_REPOS: 'octo/other' })
    expect(await saidBy(create({}, narrow))).toMatch(/ALLOWED_REPOS/)
    expect(posts()).toBe(0)
  })

  it('needs a credential, and one that permits it', async () => {
    await using nobody = await start({ GITHUB_TOKEN: '' })
    expect(await saidBy(create({}, nobody))).toMatch(/GITHUB_TOKEN/)
    expect(posts()).toBe(0)
    const token = ['github_pat', 'readonly'.repeat(4)].join('_')
    addAccount(github.world, { login: 'octo', token, permissions: { issues: 'read' } })
    await using reader = await start({ GITHUB_TOKEN: token })
    expect(await saidBy(create({}, reader))).toMatch(/GitHub accepts: issues=write/)
  })

  it('is the caller’s own where a token of the caller’s is sent', async () => {
    await using open = await start({ ALLOW_CALLER_TOKENS: 'true' })
    const args = { repository: REPOSITORY, title: 'From a friend' }
    await call(open, 'github_create_issue', args, { 'x-github-token': FRIEND })
    expect(issueOf(github.world, REPOSITORY, 2).body.user?.login).toBe('friend')
  })

  it('says what GitHub does not accept, and where a repository went', async () => {
    expect(await saidBy(create({ assignees: ['nobody-of-that-name'] }))).toMatch(
      /labels and assignees/,
    )
    renameRepository(github.world, REPOSITORY, 'chat')
    expect(await saidBy(create())).toMatch(/was renamed or moved/)
    expect(github.world.repositories.size).toBeGreaterThan(0)
  })

  it('counts as five calls', async () => {
    await using sparing = await start({ GITHUB_POINTS_PER_MINUTE: '11' })
    expect((await create({}, sparing)).isError).toBeUndefined()
    expect((await create({}, sparing)).isError).toBeUndefined()
    expect(await saidBy(create({}, sparing))).toMatch(/This minute has had as many calls/)
    expect(posts()).toBe(2)
  })
})
