import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { anonymous, callerCredential } from '../../src/github/credentials.ts'
import { testedApp } from '../support/gitHubApp.ts'
import { type ClientOptions, type TestedClient, testedClient } from '../support/gitHubClient.ts'
import {
  addAccount,
  addInstallation,
  addRepository,
  type FaultKind,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'

const QUERY = `query($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) { nameWithOwner discussion(number: 7) { title } }
}`
const NAMES = `query($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) { nameWithOwner }
}`
const HELLO = { owner: 'octocat', name: 'Hello-World' }
const MARK = 'upstream-text-7f3a'

let github: GitHub
let client: TestedClient
beforeEach(async () => {
  github = await startGitHub()
  client = clientFor()
})
afterEach(async () => {
  await client[Symbol.asyncDispose]()
  await github.close()
})

const clientFor = (options: Partial<ClientOptions> = {}) =>
  testedClient({ url: github.url, token: OCTOCAT_TOKEN, ...options })
const ask = (query = NAMES, variables: object = HELLO, asker = client) =>
  asker.graphql<{ repository: { nameWithOwner: string } }>(query, { ...variables })
const failureOf = (query?: string, variables?: object, asker?: TestedClient) =>
  ask(query, variables, asker).then(
    () => expect.unreachable('was answered'),
    (error) => error,
  )
/** Whatever GitHub says in `errors`, beside what of the data it could give. */
const answering = (...errors: object[]): FaultKind => ({
  kind: 'status',
  status: 200,
  body: {
    data: { repository: { nameWithOwner: 'octocat/Hello-World' } },
    errors: errors.map((error) => ({ message: MARK, ...error })),
  },
})

describe('a query', () => {
  it('is answered with its data, by a budget of its own', async () => {
    expect(await ask()).toEqual({ repository: { nameWithOwner: 'octocat/Hello-World' } })
    expect(github.requests).toMatchObject([
      { method: 'POST', path: '/graphql', cost: 1, points: 1 },
    ])
    expect([client.calls(), client.isUnchanged()]).toEqual([1, false])
    expect([client.remaining('graphql'), client.remaining('core')]).toEqual([4_999, undefined])
  })

  it('goes to /api/graphql of a GitHub Enterprise Server', async () => {
    await using enterprise = clientFor({ url: `${github.url}/api/v3/` })
    expect(await ask(NAMES, HELLO, enterprise)).toMatchObject({ repository: {} })
    expect(github.requests.map(({ path }) => path)).toEqual(['/api/graphql'])
  })

  it('is never one that writes, and never an anonymous one', async () => {
    const mutations = [
      'mutation { addStar(input: { starrableId: "a" }) { clientMutationId } }',
      '# query\n , mutation X { addStar(input: { starrableId: "a" }) { clientMutationId } }',
      'subscription { x }',
      '',
    ]
    for (const mutation of mutations) expect(await failureOf(mutation)).toBeInstanceOf(TypeError)
    await using nobody = clientFor({ credential: anonymous(github.url) })
    expect(await failureOf(NAMES, HELLO, nobody)).toMatchObject({
      code: 'upstream_forbidden',
      detail: expect.stringMatching(/GITHUB_TOKEN .* X-GitHub-Token/),
    })
    expect(github.requests).toEqual([])
    expect(await ask(`# comment\n, ${NAMES}`)).toMatchObject({ repository: {} })
  })

  it('waits for a token that GitHub does not know yet', async () => {
    const now = Date.now
    await using tested = testedApp(github, { now })
    tested.known.tokenDelayMs = 150
    addInstallation(github.world, { app: tested.known, login: 'octocat' })
    const credential = await tested.app.credentialFor('octocat')
    await using asInstallation = clientFor({ credential })
    expect(await ask(NAMES, HELLO, asInstallation)).toMatchObject({ repository: {} })
    expect(github.count({ path: '/graphql', status: 401 })).toBeGreaterThan(0)
    expect(github.count({ path: '/graphql', status: 200 })).toBe(1)
  })
})

describe('what GitHub refuses within a query', () => {
  it('a cursor that it does not know: that is the caller’s to mend', async () => {
    const query =
      'query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { discussions(first: 1, after: "nowhere") { nodes { number } } } }'
    expect(await failureOf(query, HELLO)).toMatchObject({
      code: 'invalid_request',
      detail: expect.stringMatching(/after.*omitted\[\]\.next/),
      errors: [{ pointer: '/params/after' }],
    })
  })

  it('nothing there, or nothing that may be seen', async () => {
    const hidden = addRepository(github.world, { owner: 'acme', name: 'secret', private: true })
    const { full_name } = hidden.body
    for (const variables of [
      { ...HELLO, name: 'nope' },
      { owner: 'acme', name: 'secret' },
    ]) {
      const error = await failureOf(NAMES, variables)
      expect(error).toMatchObject({ code: 'not_found', upstreamStatus: 200 })
      expect(error.detail).not.toContain(full_name)
    }
    // One part is enough, although GitHub gave the rest.
    expect(await failureOf(QUERY)).toMatchObject({ code: 'not_found' })
    expect(github.requests).toHaveLength(3)
  })

  it('what an App or a token may not do', async () => {
    await using tested = testedApp(github, { now: Date.now })
    addRepository(github.world, { owner: 'acme', name: 'secret', private: true, readers: ['sso'] })
    addInstallation(github.world, { app: tested.known, login: 'acme' })
    const credential = await tested.app.credentialFor('acme')
    await using asInstallation = clientFor({ credential })
    const secret = { owner: 'acme', name: 'secret' }
    expect(await failureOf(QUERY, secret, asInstallation)).toMatchObject({
      code: 'upstream_forbidden',
      detail: expect.stringContaining('Check its permissions'),
    })
    addAccount(github.world, { login: 'sso', token: 'sso', ssoExpiredFor: ['acme'] })
    await using unsigned = clientFor({ token: 'sso' })
    expect(await failureOf(QUERY, secret, unsigned)).toMatchObject({
      code: 'upstream_forbidden',
      detail: expect.stringContaining('single sign-on'),
    })
  })

  it.each<[string, FaultKind, object]>([
    [
      'scopes by name',
      answering({
        type: 'INSUFFICIENT_SCOPES',
        message: `Your token has not been granted the required scopes to execute this query. The 'login' field requires one of the following scopes: ['read:org', 'repo'], but your token has only been granted the: ['${MARK}'] scopes.`,
      }),
      { code: 'upstream_forbidden', detail: expect.stringContaining('accepts: read:org, repo.') },
    ],
    [
      'a permission by name',
      {
        ...answering({ type: 'FORBIDDEN' }),
        headers: {
          'x-accepted-github-permissions': 'discussions=read',
          'x-accepted-oauth-scopes': 'repo',
        },
      } as FaultKind,
      { code: 'upstream_forbidden', detail: expect.stringContaining('accepts: discussions=read.') },
    ],
    [
      'no scope that every answer names',
      {
        ...answering({ type: 'NOT_FOUND' }, { type: 'FORBIDDEN' }),
        headers: { 'x-accepted-oauth-scopes': 'repo' },
      } as FaultKind,
      { code: 'upstream_forbidden', detail: expect.stringContaining('Check its permissions') },
    ],
    [
      'too many nodes',
      answering({ type: 'MAX_NODE_LIMIT_EXCEEDED' }),
      { code: 'upstream_error', detail: expect.stringContaining('(MAX_NODE_LIMIT_EXCEEDED)') },
    ],
    [
      'a timeout within',
      answering({ message: 'Something went wrong while executing your query.' }),
      { code: 'upstream_error', detail: expect.stringContaining('ask for less') },
    ],
    [
      'a type that is none',
      answering({ type: `Token ${MARK}` }),
      { code: 'upstream_error', detail: expect.stringContaining('ask for less') },
    ],
    [
      'errors that are none',
      { kind: 'status', status: 200, body: { data: {}, errors: [null, 7] } },
      { code: 'upstream_error' },
    ],
  ])('%s, in no words of GitHub’s, and asked once', async (_name, fault, expected) => {
    github.fault({ match: '/graphql', ...fault })
    const error = await failureOf()
    expect(error).toMatchObject(expected)
    expect(JSON.stringify([error.message, error.detail])).not.toContain(MARK)
    expect(github.requests).toHaveLength(1)
  })

  it('a query that it would never answer', async () => {
    expect(await failureOf('{ repository(owner: "a", name: "b") { nope } }')).toMatchObject({
      code: 'upstream_error',
    })
    expect(await failureOf(NAMES, { owner: 'octocat' })).toMatchObject({ code: 'upstream_error' })
    expect(github.requests).toHaveLength(2)
  })

  it.each([
    ['service', undefined, /GITHUB_TOKEN/],
    ['caller', 'theirs', /X-GitHub-Token/],
  ] as const)('the credential of the %s', async (_from, theirs, detail) => {
    await using refused = theirs
      ? clientFor({ credential: callerCredential(github.url, theirs) })
      : clientFor({ token: 'ours' })
    expect(await failureOf(NAMES, HELLO, refused)).toMatchObject({
      code: 'upstream_auth',
      detail: expect.stringMatching(detail),
    })
    expect(github.requests).toHaveLength(1)
  })
})

describe('what may pass', () => {
  it.each<[string, FaultKind]>([
    ['502', { kind: 'status', status: 502 }],
    ['a reset', { kind: 'reset' }],
    ['half an answer', { kind: 'truncate' }],
    ['garbage', { kind: 'garbage' }],
  ])('%s: the query is sent again', async (_name, fault) => {
    github.fault({ match: '/graphql', times: 2, ...fault })
    expect(await ask()).toMatchObject({ repository: {} })
    expect([github.requests.length, client.calls()]).toEqual([3, 3])
  })

  it.each<[string, unknown]>([
    ['no data', {}],
    ['null', { data: null }],
    ['a list', []],
    ['a number', 7],
  ])('%s is no answer', async (_name, body) => {
    github.fault({ match: '/graphql', kind: 'status', status: 200, body })
    expect(await failureOf()).toMatchObject({ code: 'upstream_error' })
  })

  it('an answer without end is given up', async () => {
    github.fault({ match: '/graphql', kind: 'endless' })
    expect(await failureOf()).toMatchObject({
      code: 'upstream_error',
      detail: expect.stringContaining('too large'),
    })
    expect(github.requests).toHaveLength(1)
  })

  it('too slow an answer ends with its time', async () => {
    github.fault({ match: '/graphql', kind: 'hang' })
    await using hasty = clientFor({ timeoutMs: 200 })
    expect(await failureOf(NAMES, HELLO, hasty)).toMatchObject({ code: 'upstream_timeout' })
  })

  it('the caller who leaves ends it', async () => {
    const leaving = new AbortController()
    await using left = clientFor({ signal: leaving.signal })
    const hanging = github.fault({ match: '/graphql', kind: 'hang' })
    const failure = failureOf(NAMES, HELLO, left)
    await expect.poll(() => hanging.hits).toBe(1)
    const reason = new Error('gone')
    leaving.abort(reason)
    expect(await failure).toBe(reason)
    expect(github.requests).toHaveLength(1)
  })
})

describe('limits', () => {
  it('a used-up budget: nothing more is sent, and REST goes on', async () => {
    addAccount(github.world, { login: 'mona', token: 'm', limits: { graphql: 2 } })
    await using mona = clientFor({ token: 'm' })
    await ask(NAMES, HELLO, mona)
    await ask(NAMES, HELLO, mona)
    expect(mona.remaining('graphql')).toBe(0)
    expect(await failureOf(NAMES, HELLO, mona)).toMatchObject({ code: 'upstream_rate_limited' })
    expect(github.requests).toHaveLength(2)
    await mona.get('/user', 'login' as never)
    expect([github.requests.length, github.violations]).toEqual([3, 0])
  })

  it('a limit that was not foreseen: told by 200, until the reset', async () => {
    github.fault({ match: '/graphql', kind: 'primary-limit', resetInSeconds: 600, times: 1 })
    const error = await failureOf()
    expect(error).toMatchObject({
      code: 'upstream_rate_limited',
      detail: expect.stringContaining('hourly'),
    })
    expect(Math.abs(error.retryAfter - 600)).toBeLessThanOrEqual(1)
    expect(await failureOf()).toMatchObject({ code: 'upstream_rate_limited' })
    expect(github.requests).toHaveLength(1)
    await client.get('/user', 'login' as never)
    expect(github.violations).toBe(0)
  })

  it.each<[string, FaultKind, number, string, boolean]>([
    [
      'the type of 2025, with nothing else said',
      answering({ type: 'RATE_LIMIT', code: 'graphql_rate_limit' }),
      60,
      'hourly',
      true,
    ],
    [
      'a secondary one as 200',
      {
        ...answering({ message: 'You have exceeded a secondary rate limit.' }),
        headers: { 'retry-after': '30' },
      } as FaultKind,
      30,
      'secondary',
      false,
    ],
    [
      'a secondary one as 200 with a message alone',
      {
        kind: 'status',
        status: 200,
        body: { message: 'You have exceeded a secondary rate limit.' },
      },
      60,
      'secondary',
      false,
    ],
    ['a secondary one as 403', { kind: 'secondary-limit', retryAfter: 40 }, 40, 'secondary', false],
  ])('%s', async (_name, fault, retryAfter, which, restOpen) => {
    github.fault({ match: '/graphql', times: 1, ...fault })
    const error = await failureOf()
    expect(error).toMatchObject({
      code: 'upstream_rate_limited',
      retryAfter,
      detail: expect.stringContaining(which),
    })
    expect(await failureOf()).toMatchObject({ code: 'upstream_rate_limited' })
    const rest = await client.get('/user', 'login' as never).then(
      () => true,
      () => false,
    )
    expect([rest, github.count({ path: '/graphql' })]).toEqual([restOpen, 1])
  })
})
