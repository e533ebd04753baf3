import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type App,
  type Block,
  type ContextRequest,
  type Problem,
  startApp,
} from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addAccount,
  addClosing,
  addFiles,
  addIssue,
  addPull,
  addRepository,
  addTag,
  type GitHub,
  grant,
  landCommit,
  mergePull,
  type PullOptions,
  renameRepository,
  startGitHub,
  updateIssue,
} from '../support/github/index.ts'
import { deliver } from '../support/webhooks.ts'

const NAME = 'octo/talk'

let github: GitHub
let app: App
beforeEach(async () => {
  github = await startGitHub()
  addAccount(github.world, { login: 'octo', token: 'secret' })
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  app = await startApp({ github, env: { GITHUB_TOKEN: 'secret', GITHUB_WEBHOOK_SECRET: 'hook' } })
})
afterEach(async () => {
  await app.close()
  await github.close()
})

const request = (params: object = {}): ContextRequest => ({
  context_type: 'github_blame',
  params: { owner: 'octo', repo: 'talk', path: 'src/a.ts', ...params },
})
const problem = async (asked: object, asker = app) => (await asker.post(asked)).json<Problem>()

const day = (count: number) =>
  new Date(Date.UTC(2025, 0, 1 + count)).toISOString().replace('.000', '')

/** A commit in which the file has these lines. */
const write = (lines: readonly string[], message: string, options: object = {}) =>
  addFiles(
    github.world,
    NAME,
    { 'src/a.ts': lines.map((line) => `${line}\n`).join('') },
    { message, ...options },
  )

/** The same, merged as one commit from a pull request. */
function land(
  lines: readonly string[],
  message: string,
  options: PullOptions & { at?: string } = {},
) {
  const { at = day(9), ...pullOptions } = options
  const pull = addPull(github.world, NAME, { title: `Pull ${message}`, ...pullOptions })
  mergePull(github.world, pull, 'octo')
  const commit = write(lines, message, { date: at })
  landCommit(github.world, NAME, commit, pull.issue)
  return { commit, pull: pull.issue }
}

interface Commit {
  readonly sha: string
  readonly lines: readonly string[]
  readonly message: string
}
const commitsOf = (...blocks: readonly Block[]) =>
  blocks.flatMap(({ commits }) => commits as readonly Commit[])

/** By line who wrote it, each line once. */
function writers(blocks: readonly Block[], commits = commitsOf(...blocks)): string[] {
  const found: string[] = []
  for (const { lines, sha } of commits) {
    for (const range of lines) {
      const [start, end = start] = range.split('–').map(Number)
      for (let line = Number(start); line <= Number(end); line++) {
        if (found[line]) throw new Error(`line ${line} comes twice`)
        found[line] = sha
      }
    }
  }
  return found
}

describe('github_blame', () => {
  it('tells of each line who wrote it and why, in two rounds', async () => {
    const first = write(['one', 'two', 'three'], 'Start', {
      date: day(1),
      author: { name: 'Gone Person', email: 'gone@example.com' },
    })
    const issue = addIssue(github.world, NAME, { title: 'It crashes', author_association: 'NONE' })
    const { commit, pull } = land(
      ['zero', 'one', 'two and a half', 'three'],
      'Fix it\n\nBecause.',
      {
        title: 'Fix the crash',
        author_association: 'MEMBER',
      },
    )
    addClosing(github.world, pull, issue)
    updateIssue(github.world, issue, { state: 'closed' })
    github.latencyMs = 400
    github.resetCounts()
    const block = await app.block(request())
    expect([github.requests.length, github.rounds()]).toEqual([3, 2])
    const page = 'https://github.com/octo/talk'
    expect(block).toMatchObject({
      type: 'github_blame',
      id: 'github_blame:octo/talk@HEAD:src/a.ts',
      title: 'src/a.ts',
      url: `${page}/blame/${commit.sha}/src/a.ts`,
      trust: 'stranger',
      path: 'src/a.ts',
      ref: 'HEAD',
      sha: commit.sha,
      kind: 'text',
      start_line: 1,
      end_line: 4,
      lines: 4,
      commits: [
        {
          sha: commit.sha,
          lines: ['1', '3'],
          message: 'Fix it\n\nBecause.',
          author: 'octocat',
          date: day(9),
          url: `${page}/commit/${commit.sha}`,
          pull_request: {
            name: `octo/talk#${pull.body.number}`,
            title: 'Fix the crash',
            state: 'merged',
            url: `${page}/pull/${pull.body.number}`,
          },
          issues: [
            { name: `octo/talk#${issue.body.number}`, title: 'It crashes', state: 'closed' },
          ],
        },
        {
          sha: first.sha,
          lines: ['2', '4'],
          message: 'Start',
          author: 'Gone Person',
          pull_request: null,
          issues: [],
        },
      ],
    })
    const [p, i] = [pull.body.number, issue.body.number]
    expect(block.content).toBe(
      [
        '# Who wrote a file of octo/talk, and why',
        '> src/a.ts',
        block.url,
        'Ref: HEAD · Lines: 1–4 of 4 · Commits: 2',
        '',
        '## Lines 1, 3',
        `Commit: ${commit.sha.slice(0, 10)} · Date: ${day(9)} · Author: octocat · Pull request: octo/talk#${p} (merged) by ${pull.body.user?.login} · Closes: octo/talk#${i} (closed)`,
        '> Fix it',
        `> Pull request octo/talk#${p}: Fix the crash`,
        `> Closes octo/talk#${i}: It crashes`,
        '> Because.',
        '',
        '## Lines 2, 4',
        `Commit: ${first.sha.slice(0, 10)} · Date: ${day(1)} · Author: Gone Person`,
        '> Start',
      ].join('\n'),
    )
  })

  it('looks at some lines, at a branch, a tag, a commit, and by the address with lines', async () => {
    const old = write(['one', 'two'], 'Start', { date: day(1) })
    addTag(github.world, NAME, 'v1', old.sha)
    addTag(github.world, NAME, 'v1.0', old.sha, { annotated: true })
    addFiles(github.world, NAME, { 'src/a.ts': 'x\n' }, { branch: 'feature/x', from: 'v1' })
    write(['one', 'two', 'three', 'four'], 'More', { date: day(2) })
    const messages = async (params: object) =>
      commitsOf(await app.block(request(params))).map(({ lines, message }) => [message, ...lines])
    expect(await messages({})).toEqual([
      ['Start', '1–2'],
      ['More', '3–4'],
    ])
    expect(await messages({ start_line: 2, end_line: 3 })).toEqual([
      ['Start', '2'],
      ['More', '3'],
    ])
    expect(await messages({ start_line: 4, end_line: 400 })).toEqual([['More', '4']])
    for (const ref of ['v1', 'v1.0', old.sha, old.sha.slice(0, 8)]) {
      expect(await messages({ ref })).toEqual([['Start', '1–2']])
    }
    expect(await messages({ ref: 'feature/x' })).toEqual([['Change src/a.ts', '1']])
    const address = 'https://github.com/octo/talk/blame/v1/src/a.ts#L2'
    const answer = await app.get(`/mcp/context?url=${encodeURIComponent(address)}`)
    expect(answer.json<{ context: Block[] }>().context[0]).toMatchObject({
      url: `https://github.com/octo/talk/blame/${old.sha}/src/a.ts#L2-L2`,
      id: 'github_blame:octo/talk@v1:src/a.ts#L2-L2',
    })
  })

  it('says what is not there and what has no lines', async () => {
    addFiles(github.world, NAME, {
      'src/a.ts': 'one\n',
      empty: '',
      binary: Buffer.from([1, 0, 2]),
      module: { submodule: 'a'.repeat(40) },
    })
    expect(await problem(request({ path: 'src/b.ts' }))).toMatchObject({
      code: 'not_found',
      detail: expect.stringContaining('github_tree'),
    })
    expect(await problem(request({ path: 'module' }))).toMatchObject({ code: 'not_found' })
    expect(await problem(request({ ref: 'nope' }))).toMatchObject({
      code: 'not_found',
      detail: expect.stringContaining('ref'),
    })
    expect(await problem(request({ repo: 'nope' }))).toMatchObject({ code: 'not_found' })
    expect(await problem(request({ path: 'src' }))).toMatchObject({
      code: 'invalid_request',
      errors: [{ pointer: '/params/path' }],
    })
    expect(await problem(request({ start_line: 2 }))).toMatchObject({
      errors: [{ pointer: '/params/start_line', message: 'the file has 1 lines.' }],
    })
    expect(await problem(request({ start_line: 1, end_line: 0 }))).toMatchObject({
      code: 'invalid_request',
    })
    const turned = request({ ref: 'HEAD', start_line: 1 })
    expect((await app.block(turned)).lines).toBe(1)
    for (const kind of ['empty', 'binary']) {
      const block = await app.block(request({ path: `/${kind}/` }))
      expect(block).toMatchObject({ kind, path: kind, commits: [], lines: 0, start_line: null })
      expect(block.content).toContain(`\n\nThe file is ${kind}`)
    }
  })

  it('shows people and texts that are gone as such', async () => {
    const { pull } = land(['one'], '\n', { title: 'T', user: null })
    const issue = addIssue(github.world, NAME, { user: null, title: 'I' })
    addClosing(github.world, pull, issue)
    const block = await app.block(request())
    expect(block).toMatchObject({
      commits: [{ message: '', pull_request: { author: 'ghost' }, issues: [{ author: 'ghost' }] }],
    })
    expect(block.content).toContain('> (no message)')
    expect(block.content).not.toMatch(/null|undefined/)
  })

  it('shows nothing of repositories outside of the allowlist', async () => {
    addRepository(github.world, { owner: 'acme', name: 'elsewhere' })
    const { commit, pull } = land(['one'], 'Fix')
    const theirs = write(['one', 'two'], 'Theirs', { date: day(10) })
    const fork = addPull(github.world, 'acme/elsewhere', { title: 'Pulled elsewhere' })
    for (const { sha } of [commit, theirs]) landCommit(github.world, NAME, { sha }, fork.issue)
    const outside = addIssue(github.world, 'acme/elsewhere', {
      title: 'Their secret',
      author_association: 'OWNER',
    })
    addClosing(github.world, pull, outside)
    const open = await app.block(request())
    expect(open.content).toContain('Their secret')
    expect(open.content).toContain('Pulled elsewhere')
    expect(open.trust).toBe('stranger')
    await using narrow = await startApp({
      github,
      env: { GITHUB_TOKEN: 'secret', ALLOWED_REPOS: NAME },
    })
    const { text } = await narrow.post(request())
    expect(text).toContain('Pull Fix')
    expect(text).not.toContain('elsewhere')
    expect(text).not.toContain('Their secret')
  })

  it('says whose permission is missing', async () => {
    addRepository(github.world, { owner: 'acme', name: 'hidden', private: true })
    addFiles(github.world, 'acme/hidden', { 'src/a.ts': 'one\n' })
    const asked = request({ owner: 'acme', repo: 'hidden' })
    const answer = async (login: string, permissions: Record<string, 'read'>) => {
      addAccount(github.world, { login, token: login, permissions })
      grant(github.world, login, 'acme/hidden')
      await using other = await startApp({ github, env: { GITHUB_TOKEN: login } })
      return await problem(asked, other)
    }
    expect(await problem(asked)).toMatchObject({ code: 'not_found' })
    expect(await answer('none', {})).toMatchObject({ code: 'upstream_forbidden' })
    expect(await answer('some', { contents: 'read' })).toMatchObject({ code: 'upstream_forbidden' })
    const all = await answer('all', { contents: 'read', pull_requests: 'read' })
    expect(all).toMatchObject({ context: [{ kind: 'text' }] })
  })

  it('goes by the new name after a rename', async () => {
    write(['one'], 'Start')
    renameRepository(github.world, NAME, 'Speech')
    expect(await app.block(request())).toMatchObject({
      id: 'github_blame:octo/Speech@HEAD:src/a.ts',
      url: expect.stringContaining('/octo/Speech/blame/'),
    })
  })

  it('is kept by its sha, and told of by webhooks when what is behind it changes', async () => {
    const { commit, pull } = land(['one'], 'Fix')
    const at = request({ ref: commit.sha })
    const { headers } = await app.post(at)
    expect(headers['cache-status']).toMatch(/stored/)
    updateIssue(github.world, pull, { title: 'Another title' })
    expect((await app.block(at)).content).not.toContain('Another title')
    const payload = {
      action: 'edited',
      pull_request: { number: pull.body.number },
      repository: { name: 'talk', full_name: NAME, owner: { login: 'octo' } },
    }
    expect((await deliver(app, 'pull_request', payload, 'hook')).status).toBeLessThan(300)
    await expect
      .poll(async () => (await app.block(at)).content, { timeout: 5_000 })
      .toContain('Another title')
  })
})

describe('what is left out', () => {
  /** Line i last written by commit i modulo `commits`; blocks of two lines. */
  function history(commits: number, lines: number, body = '') {
    const text = Array.from({ length: lines }, (_, i) => `line ${i}`)
    write(text, `Commit 0.${body}`, { date: day(0) })
    for (let number = 1; number < commits; number++) {
      for (let i = 0; i < lines; i++) {
        if (Math.floor(i / 2) % commits === number) text[i] = `line ${i} by ${number}`
      }
      write(text, `Commit ${number}.${body}`, { date: day(number) })
    }
  }

  it.each([1, 3, 7, 30])('past %i commits comes exactly once by what is named', async (limit) => {
    history(12, 100)
    const all = writers([await app.block(request({ limit: 100 }))])
    expect(new Set(all.slice(1)).size).toBe(12)
    const { context, omitted } = await app.context(request({ limit }))
    const rest = await follow(app, omitted)
    expect(writers([...context, ...rest])).toEqual(all)
    expect(rest.length > 0).toBe(limit < 12)
    if (limit < 12)
      expect(omitted).toMatchObject([{ reason: 'limit', next: { params: { limit } } }])
  })

  it('stays the same when the branch moves on', async () => {
    history(5, 20)
    const all = writers([await app.block(request())])
    const { context, omitted } = await app.context(request({ limit: 2 }))
    write(['all new'], 'Rewrite', { date: day(99) })
    expect(writers([...context, ...(await follow(app, omitted))])).toEqual(all)
  })

  it.each([150, 300, 800])(
    'for %i tokens comes exactly once by what is named',
    async (max_tokens) => {
      history(12, 100, `\n\n${'Some words on why it was done. '.repeat(6)}`)
      const all = writers([await app.block(request())])
      for (const query of [undefined, 'commit 7']) {
        const asked = { ...request(), max_tokens, ...(query && { query }) }
        const { context, omitted, tokens } = await app.context(asked)
        expect(tokens).toBeLessThanOrEqual(max_tokens)
        const kept = commitsOf(...context)
        for (const { message } of kept) {
          const [headline = ''] = message.split('\n')
          expect(context[0]?.content).toContain(headline)
        }
        if (query && max_tokens > 150)
          expect(kept.map(({ message }) => message).join()).toMatch(/Commit 7/)
        const whole = kept.filter(({ message }) => !message.includes('tokens omitted]'))
        const rest = await follow(app, omitted, { gaps: true })
        expect(writers([], [...whole, ...commitsOf(...rest)])).toEqual(all)
        const counted = omitted.reduce((sum, { count = 0 }) => sum + count, 0)
        expect(counted).toBe(100 - writers([], whole).filter(Boolean).length)
      }
    },
  )

  it('is in no structured field either', async () => {
    const { pull } = land(['one'], `Fix\n\n${'Long words on why. '.repeat(100)}`, {
      title: 'A pull request with a title of its own',
    })
    const issue = addIssue(github.world, NAME, { title: 'An issue with a title of its own' })
    addClosing(github.world, pull, issue)
    const shown: number[] = []
    for (const max_tokens of [100, 150, 250, 400]) {
      const { context } = await app.context({ ...request(), max_tokens })
      const [block] = context
      shown.push(commitsOf(...context).length)
      for (const { pull_request, issues, message } of commitsOf(...context) as unknown as {
        message: string
        pull_request: { title: string }
        issues: { title: string }[]
      }[]) {
        for (const text of [pull_request.title, ...issues.map(({ title }) => title)]) {
          expect(block?.content).toContain(text)
        }
        for (const line of message.split('\n')) expect(block?.content).toContain(line)
      }
    }
    expect(shown.at(-1)).toBe(1)
  })

  it('for want of trust is named as well', async () => {
    write(['one', 'two'], 'Start', { date: day(1) })
    land(['one', 'two', 'three'], 'Add', { author_association: 'NONE' })
    const asked = { ...request(), min_trust: 'maintainer' } as ContextRequest
    const { context, omitted } = await app.context(asked)
    expect(commitsOf(...context).map(({ message }) => message)).toEqual(['Start'])
    expect(omitted).toMatchObject([{ what: 'lines 3', count: 1, reason: 'min_trust' }])
    const rest = await follow(app, omitted, { gaps: true })
    expect(commitsOf(...rest)).toMatchObject([{ message: 'Add', lines: ['3'] }])
  })
})
