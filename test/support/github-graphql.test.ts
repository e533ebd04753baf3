import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mintToken } from './github/apps.ts'
import {
  addAccount,
  addApp,
  addClosing,
  addDiscussion,
  addDiscussionComments,
  addFiles,
  addInstallation,
  addIssue,
  addMention,
  addPull,
  addReplies,
  addRepository,
  addReviewThread,
  addSubIssue,
  addTag,
  appKeyPair,
  chooseAnswer,
  deleteDiscussion,
  type GitHub,
  grant,
  landCommit,
  mergePull,
  OCTOCAT_TOKEN,
  renameRepository,
  repositoryOf,
  startGitHub,
  updateDiscussion,
  type World,
} from './github/index.ts'

let github: GitHub
let world: World
beforeEach(async () => {
  github = await startGitHub()
  world = github.world
  const clock = Date.parse('2026-01-01T00:00:00Z')
  world.now = () => clock
})
afterEach(() => github.close())

async function post(body: unknown, token: string | null = OCTOCAT_TOKEN, path = '/graphql') {
  const answer = await request(github.url + path, {
    method: 'POST',
    headers: {
      'user-agent': 'test',
      'content-type': 'application/json',
      ...(token !== null && { authorization: `bearer ${token}` }),
    },
    body: JSON.stringify(body),
  })
  const { data, errors, message } = JSON.parse(await answer.body.text())
  return { status: answer.statusCode, headers: answer.headers, data, errors, message }
}

const inRepository = (fields: string, name = 'Hello-World') =>
  `{ repository(owner: "octocat", name: "${name}") { ${fields} } }`
const mainOf = (name: string) => String(repositoryOf(world, name).body.default_branch)
const ask = (fields: string, variables: object = {}, token = OCTOCAT_TOKEN) =>
  post({ query: inRepository(fields), variables }, token)

describe('what GitHub refuses', () => {
  it('answers repositories by any name they had, as REST would', async () => {
    renameRepository(world, 'octocat/Hello-World', 'Hello-Moon')
    const { data, headers, status } = await ask(
      'nameWithOwner name isPrivate visibility url databaseId owner { login __typename }',
    )
    expect([status, data?.repository]).toEqual([
      200,
      {
        nameWithOwner: 'octocat/Hello-Moon',
        name: 'Hello-Moon',
        isPrivate: false,
        visibility: 'PUBLIC',
        url: 'https://github.com/octocat/Hello-Moon',
        databaseId: 1296269,
        owner: { login: 'octocat', __typename: 'User' },
      },
    ])
    expect(headers['x-ratelimit-resource']).toBe('graphql')
    expect(headers['x-github-media-type']).toBe('github.v4; format=json')
  })

  it('wants a known caller', async () => {
    const query = '{ viewer { login } }'
    const anonymous = await post({ query }, null)
    expect([anonymous.status, anonymous.message]).toEqual([
      401,
      'This endpoint requires you to be authenticated.',
    ])
    expect((await post({ query }, 'ghp_unknown')).status).toBe(401)
    expect((await post({ query })).data).toEqual({ viewer: { login: 'octocat' } })
    expect((await post({ query }, OCTOCAT_TOKEN, '/api/graphql')).status).toBe(200)
  })

  it('refuses by GitHub’s own schema: fields, arguments, syntax, variables', async () => {
    const field = await ask('nameWithOwner nope')
    expect([field.status, field.data, field.errors]).toEqual([
      200,
      undefined,
      [
        {
          path: ['query', 'nope'],
          extensions: { code: 'undefinedField', typeName: 'Repository', fieldName: 'nope' },
          locations: [{ line: 1, column: 69 }],
          message: "Field 'nope' doesn't exist on type 'Repository'",
        },
      ],
    ])
    for (const query of [
      '{ repository(owner: "a") { name } }',
      '{ repository(',
      '',
      '{ viewer }',
    ]) {
      const { data, errors, status } = await post({ query })
      expect([query, status, data, errors?.length]).toEqual([query, 200, undefined, 1])
    }
    const query = 'query($n: String!) { repository(owner: "a", name: $n) { name } }'
    const missing = await post({ query })
    expect([missing.data, missing.errors?.[0]?.message]).toEqual([
      undefined,
      expect.stringContaining('$n'),
    ])
  })

  it('refuses pages without an end and queries without bounds', async () => {
    const first = async (fields: string) => (await ask(fields)).errors?.[0]
    expect(await first('discussions { nodes { title } }')).toMatchObject({
      type: 'MISSING_PAGINATION_BOUNDARIES',
      path: ['repository', 'discussions'],
    })
    expect((await ask('discussions { totalCount }')).data?.repository).toEqual({
      discussions: { totalCount: 1 },
    })
    expect(await first('discussions(first: 101) { nodes { title } }')).toMatchObject({
      type: 'EXCESSIVE_PAGINATION',
      message:
        'Requesting 101 records on the `discussions` connection exceeds the `first` limit of 100 records.',
    })
    expect(await first('discussions(first: 1, after: "x") { nodes { title } }')).toMatchObject({
      type: 'INVALID_CURSOR_ARGUMENTS',
    })
    const deep =
      'discussions(first: 100) { nodes { comments(first: 100) { nodes { replies(first: 100) { nodes { body } } } } } }'
    expect((await ask(deep)).errors).toEqual([
      {
        type: 'MAX_NODE_LIMIT_EXCEEDED',
        message:
          'This query requests up to 1,010,100 possible nodes which exceeds the maximum limit of 500,000.',
      },
    ])
  })

  it('hides what the caller may not see', async () => {
    const secret = addRepository(world, { owner: 'octocat', name: 'secret', private: true })
    addDiscussion(world, secret)
    addAccount(world, { login: 'mona', token: 'm' })
    const see = (token: string) => post({ query: inRepository('isPrivate', 'secret') }, token)
    expect((await see(OCTOCAT_TOKEN)).data).toEqual({ repository: { isPrivate: true } })
    const hidden = await see('m')
    expect([hidden.status, hidden.data, hidden.errors]).toEqual([
      200,
      { repository: null },
      [
        {
          type: 'NOT_FOUND',
          path: ['repository'],
          locations: [{ line: 1, column: 3 }],
          message: "Could not resolve to a Repository with the name 'octocat/secret'.",
        },
      ],
    ])
    grant(world, 'mona', secret)
    expect((await see('m')).data).toEqual({ repository: { isPrivate: true } })
  })

  it('names what a token and an App may not do, and where to sign on', async () => {
    const secret = addRepository(world, { owner: 'acme', name: 'secret', private: true })
    const app = addApp(world, appKeyPair())
    const installation = addInstallation(world, { app, login: 'acme' })
    const { secret: token } = mintToken(world, installation)
    addAccount(world, { login: 'sso', token: 's', ssoExpiredFor: ['acme'] })
    grant(world, 'sso', secret)
    const query =
      '{ repository(owner: "acme", name: "secret") { discussion(number: 1) { title } } }'
    const forbidden = await post({ query }, token)
    expect(forbidden.data).toEqual({ repository: { discussion: null } })
    expect(forbidden.errors).toMatchObject([
      {
        type: 'FORBIDDEN',
        path: ['repository', 'discussion'],
        extensions: { saml_failure: false },
        message: 'Resource not accessible by integration',
      },
    ])
    const unsigned = await post({ query }, 's')
    expect(unsigned.errors).toMatchObject([
      { type: 'FORBIDDEN', extensions: { saml_failure: true } },
    ])
    expect(unsigned.headers['x-github-sso']).toMatch(/^required; url=https:/)
  })

  it('has a budget of its own, of which large queries take more', async () => {
    addAccount(world, { login: 'mona', token: 'm', limits: { graphql: 3 } })
    const left = async (fields: string) => {
      const { headers } = await ask(fields, {}, 'm')
      return Number(headers['x-ratelimit-remaining'])
    }
    expect(await left('name')).toBe(2)
    await request(`${github.url}/user`, {
      headers: { 'user-agent': 'test', authorization: 'bearer m' },
    })
    const deep =
      'discussions(first: 100) { nodes { comments(first: 1) { nodes { replies(first: 1) { nodes { body } } } } } }'
    expect(await left(deep)).toBe(0)
    expect(github.requests.map(({ cost, points }) => [cost, points])).toEqual([
      [1, 1],
      [1, 1],
      [2, 1],
    ])
    const over = await ask('name', {}, 'm')
    expect([over.status, over.data, over.errors?.[0]?.type]).toEqual([
      200,
      undefined,
      'RATE_LIMITED',
    ])
    expect([github.violations, github.rounds()]).toEqual([0, 4])
  })

  it('says so where a field was never made, instead of null', async () => {
    expect(await ask('stargazerCount')).toMatchObject({
      status: 501,
      message: 'The simulator has no resolver for Repository.stargazerCount',
    })
  })
})

describe('what GitHub answers', () => {
  it('discussions, page by page, with answer, replies and people who are gone', async () => {
    const repository = addRepository(world, { owner: 'octocat', name: 'talk' })
    const discussion = addDiscussion(world, repository, {
      title: 'How?',
      body: 'So?',
      category: 'Q&A',
      user: null,
      labels: ['help'],
      author_association: 'MEMBER',
    })
    const [, second] = addDiscussionComments(world, discussion, 3, (i) => ({ body: `c${i}` }))
    if (!second) throw new Error('no comment')
    addReplies(world, second, 2, (i) => ({ body: `r${i}`, user: 'dependabot[bot]' }))
    chooseAnswer(world, second, 'mona')
    const query = `query($after: String) {
      repository(owner: "octocat", name: "talk") {
        discussion(number: 1) {
          number title body url closed isAnswered authorAssociation upvoteCount
          author { login } category { name slug isAnswerable } answerChosenAt
          labels(first: 5) { nodes { name } }
          answer { body isAnswer } answerChosenBy { login }
          comments(first: 2, after: $after) {
            totalCount pageInfo { hasNextPage endCursor }
            nodes { body url replyTo { id } replies(first: 1) {
              totalCount pageInfo { hasNextPage } nodes { body author { login url } } } }
          }
        }
      }
    }`
    const page = async (after?: string) =>
      (await post({ query, variables: { after } })).data?.repository.discussion
    const first = await page()
    expect(first).toMatchObject({
      title: 'How?',
      body: 'So?',
      url: 'https://github.com/octocat/talk/discussions/1',
      isAnswered: true,
      author: null,
      authorAssociation: 'MEMBER',
      upvoteCount: 1,
      category: { name: 'Q&A', slug: 'q-a', isAnswerable: true },
      answerChosenAt: '2026-01-01T00:00:00Z',
      answerChosenBy: { login: 'mona' },
      answer: { body: 'c1', isAnswer: true },
      labels: { nodes: [{ name: 'help' }] },
      comments: {
        totalCount: 3,
        pageInfo: { hasNextPage: true },
        nodes: [
          { body: 'c0', replies: { totalCount: 0, nodes: [] } },
          {
            body: 'c1',
            replies: {
              totalCount: 2,
              pageInfo: { hasNextPage: true },
              nodes: [
                {
                  body: 'r0',
                  author: { login: 'dependabot', url: 'https://github.com/dependabot' },
                },
              ],
            },
          },
        ],
      },
    })
    const last = await page(first.comments.pageInfo.endCursor)
    expect(last.comments).toMatchObject({
      pageInfo: { hasNextPage: false },
      nodes: [{ body: 'c2' }],
    })
    deleteDiscussion(world, discussion)
    expect((await post({ query })).errors).toMatchObject([
      {
        type: 'NOT_FOUND',
        path: ['repository', 'discussion'],
        message: 'Could not resolve to a Discussion with the number of 1.',
      },
    ])
  })

  it('lists discussions in either order and by state', async () => {
    const at = (day: number) => `2025-01-0${day}T00:00:00Z`
    const made = (title: string, created: number, updated: number, state: 'open' | 'closed') =>
      addDiscussion(world, 'octocat/talk', {
        title,
        state,
        created_at: at(created),
        updated_at: at(updated),
      })
    addRepository(world, { owner: 'octocat', name: 'talk' })
    const a = made('a', 1, 6, 'open')
    made('b', 2, 8, 'closed')
    made('c', 3, 7, 'open')
    const titles = async (args: string) => {
      const fields = `discussions(first: 9${args}) { nodes { title } }`
      const { data } = await post({ query: inRepository(fields, 'talk') })
      return data?.repository.discussions.nodes
        .map(({ title }: { title: string }) => title)
        .join('')
    }
    expect(await titles('')).toBe('bca')
    updateDiscussion(world, a, { body: 'Changed' })
    expect(await titles('')).toBe('abc')
    expect(await titles(', orderBy: { field: CREATED_AT, direction: DESC }')).toBe('cba')
    expect(await titles(', states: [OPEN]')).toBe('ac')
  })

  it('who wrote which line, with the pull request and the issue behind it', async () => {
    const name = 'octocat/blamed'
    addRepository(world, { owner: 'octocat', name: 'blamed' })
    const at = (day: number) => `2025-01-0${day}T00:00:00Z`
    const gone = { name: 'Gone', email: 'gone@example.com' }
    const first = addFiles(world, name, { 'old.ts': 'one\ntwo\n' }, { author: gone, date: at(1) })
    addFiles(world, name, { 'old.ts': null, 'a.ts': 'one\ntwo\n' }, { date: at(2) })
    const issue = addIssue(world, name, { title: 'Crash' })
    const pull = addPull(world, name, { title: 'Fix crash', head: 'fix' })
    addClosing(world, pull.issue, issue)
    const message = 'Fix crash\n\nBecause.'
    const fixed = { 'a.ts': 'one\ntwo and a half\nthree\n' }
    const fix = addFiles(world, name, fixed, { branch: 'fix', message, date: at(3) })
    mergePull(world, pull, 'octocat')
    const squashed = addFiles(world, name, fixed, { message, date: at(4) })
    landCommit(world, name, squashed, pull.issue)
    addTag(world, name, 'v1', squashed.sha, { annotated: true })
    const { data } = await post({
      query: inRepository(
        `object(expression: "HEAD") { oid ... on Commit { blame(path: "a.ts") { ranges {
          startingLine endingLine age
          commit {
            oid abbreviatedOid message messageHeadline committedDate url
            author { name user { login } }
            associatedPullRequests(first: 1) { nodes { number title url state
              closingIssuesReferences(first: 1) { nodes { number title url } } } }
          }
        } } } }
        branch: object(oid: "${fix.sha}") { ... on Commit { associatedPullRequests(first: 1) { totalCount } } }
        file: object(expression: "main:a.ts") { ... on Blob { text isBinary byteSize } }
        tag: object(expression: "v1") { __typename ... on Tag { target { oid } } }
        missing: object(expression: "main") { ... on Commit { blame(path: "b.ts") { ranges { age } } } }
        none: object(expression: "nope") { oid }`.replaceAll('main', mainOf(name)),
        'blamed',
      ),
    })
    const base = 'https://github.com/octocat/blamed'
    const { number } = pull.issue.body
    expect(data?.repository).toMatchObject({
      none: null,
      missing: { blame: { ranges: [] } },
      tag: { __typename: 'Tag', target: { oid: squashed.sha } },
      file: { text: 'one\ntwo and a half\nthree\n', isBinary: false, byteSize: 25 },
      branch: { associatedPullRequests: { totalCount: 1 } },
      object: {
        oid: squashed.sha,
        blame: {
          ranges: [
            {
              startingLine: 1,
              endingLine: 1,
              age: 10,
              commit: {
                oid: first.sha,
                author: { name: 'Gone', user: null },
                associatedPullRequests: { nodes: [] },
              },
            },
            {
              startingLine: 2,
              endingLine: 3,
              age: 1,
              commit: {
                oid: squashed.sha,
                abbreviatedOid: squashed.sha.slice(0, 7),
                message,
                messageHeadline: 'Fix crash',
                committedDate: at(4),
                url: `${base}/commit/${squashed.sha}`,
                author: { user: { login: 'octocat' } },
                associatedPullRequests: {
                  nodes: [
                    {
                      number,
                      url: `${base}/pull/${number}`,
                      state: 'MERGED',
                      closingIssuesReferences: {
                        nodes: [{ title: 'Crash', url: `${base}/issues/${issue.body.number}` }],
                      },
                    },
                  ],
                },
              },
            },
          ],
        },
      },
    })
  })

  it('review threads, and what issues and pull requests have to do with one another', async () => {
    const name = 'octocat/Hello-World'
    const secret = addRepository(world, { owner: 'acme', name: 'secret', private: true })
    const [parent, child] = [addIssue(world, name), addIssue(world, name)]
    const pull = addIssue(world, name, { pull_request: true })
    addSubIssue(world, parent, child)
    addClosing(world, pull, child)
    addMention(world, pull, child, { actor: 'mona', closes: true })
    addMention(world, addIssue(world, secret), child)
    addReviewThread(world, pull, {
      path: 'b.ts',
      line: 7,
      isResolved: true,
      comments: [
        { body: 'Why?', author_association: 'OWNER' },
        { body: 'So.', user: null },
      ],
    })
    const { data } = await ask(`
      issue(number: ${child.body.number}) {
        parent { number } subIssues(first: 1) { totalCount }
        closedByPullRequestsReferences(first: 1) { nodes { number } }
        timelineItems(first: 9, itemTypes: [CROSS_REFERENCED_EVENT]) { totalCount nodes {
          ... on CrossReferencedEvent { actor { login } willCloseTarget isCrossRepository
            source { __typename ... on PullRequest { number } } } } }
      }
      pullRequest(number: ${pull.body.number}) {
        closingIssuesReferences(first: 1) { nodes { number } }
        reviewThreads(first: 1) { pageInfo { hasNextPage } nodes {
          isResolved isOutdated path line startLine diffSide
          comments(first: 5) { nodes {
            databaseId author { login } body createdAt authorAssociation diffHunk url } } } }
      }`)
    const { number } = pull.body
    expect(data?.repository).toMatchObject({
      issue: {
        parent: { number: parent.body.number },
        subIssues: { totalCount: 0 },
        closedByPullRequestsReferences: { nodes: [{ number }] },
        timelineItems: {
          totalCount: 1,
          nodes: [
            {
              actor: { login: 'mona' },
              willCloseTarget: true,
              isCrossRepository: false,
              source: { __typename: 'PullRequest', number },
            },
          ],
        },
      },
      pullRequest: {
        closingIssuesReferences: { nodes: [{ number: child.body.number }] },
        reviewThreads: {
          pageInfo: { hasNextPage: false },
          nodes: [
            {
              isResolved: true,
              isOutdated: false,
              path: 'b.ts',
              line: 7,
              startLine: null,
              diffSide: 'RIGHT',
              comments: {
                nodes: [
                  {
                    body: 'Why?',
                    authorAssociation: 'OWNER',
                    author: { login: 'octocat' },
                    url: expect.stringContaining(`Hello-World/pull/${number}#discussion_r`),
                  },
                  { body: 'So.', author: null },
                ],
              },
            },
          ],
        },
      },
    })
    const wrong = await ask(`issue(number: ${number}) { title }`)
    expect(wrong.errors?.[0]).toMatchObject({
      type: 'NOT_FOUND',
      message: `Could not resolve to an Issue with the number of ${number}.`,
    })
  })
})
