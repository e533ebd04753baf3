import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, type Context, type Problem, startApp } from '../support/app.ts'
import {
  addCommitComment,
  addIssue,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  addIssue(github.world, 'octocat/Hello-World', { number: 1 })
  const commit_id = '6dcb09b5b57875f334f61aebed695e2e4193db5e'
  addCommitComment(github.world, 'octocat/Hello-World', { commit_id, id: 77, body: 'Why?' })
  app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const byUrl = (url: string, more = '') =>
  app.get(`/mcp/context?url=${encodeURIComponent(url)}${more}`)

describe('GET /mcp/context?url=', () => {
  it.each([
    ['https://github.com/octocat', 'github_user:octocat'],
    ['https://github.com/octocat/Hello-World', 'github_repository:octocat/Hello-World'],
    ['https://github.com/octocat/Hello-World/', 'github_repository:octocat/Hello-World'],
    ['https://github.com/octocat/Hello-World.git', 'github_repository:octocat/Hello-World'],
    ['https://www.github.com/OCTOCAT/hello-world', 'github_repository:octocat/Hello-World'],
    ['github.com/octocat/Hello-World', 'github_repository:octocat/Hello-World'],
    ['http://GitHub.com/octocat/Hello-World?tab=readme', 'github_repository:octocat/Hello-World'],
    ['https://github.com/octocat/Hello-World/issues', 'github_issues:octocat/Hello-World'],
    ['https://github.com/octocat/Hello-World/issues?page=2', 'github_issues:octocat/Hello-World'],
    [
      'https://github.com/octocat/Hello-World/issues?q=is%3Aissue+is%3Aopen',
      'github_issue_search:repo:octocat/Hello-World is:issue is:open',
    ],
    [
      'https://github.com/octocat/Hello-World/pulls?q=is%3Apr+label%3Abug',
      'github_issue_search:repo:octocat/Hello-World is:pr label:bug',
    ],
    [
      'https://github.com/search?type=issues&q=bug+repo%3Aoctocat%2FHello-World',
      'github_issue_search:is:issue bug repo:octocat/Hello-World',
    ],
    [
      'https://github.com/search?q=bug+repo%3Aoctocat%2FHello-World&type=pullrequests&p=2',
      'github_issue_search:is:pr bug repo:octocat/Hello-World',
    ],
    [
      'https://github.com/search?q=greet+repo%3Aoctocat%2FHello-World&type=code',
      'github_code_search:greet repo:octocat/Hello-World',
    ],
    [
      'https://github.com/octocat/Hello-World/search?q=greet',
      'github_code_search:repo:octocat/Hello-World greet',
    ],
    ['https://github.com/octocat/Hello-World/issues/1347', 'github_issue:octocat/Hello-World#1347'],
    [
      'https://github.com/octocat/Hello-World/issues/1347#top',
      'github_issue:octocat/Hello-World#1347',
    ],
    [
      'https://github.com/octocat/Hello-World/issues/1347#issuecomment-1',
      'github_comment:octocat/Hello-World/issue/1',
    ],
    [
      'https://github.com/octocat/Hello-World/pull/1347?x=1#issuecomment-1',
      'github_comment:octocat/Hello-World/issue/1',
    ],
    [
      'https://github.com/octocat/Hello-World/pull/1347#discussion_r10',
      'github_comment:octocat/Hello-World/review/10',
    ],
    [
      'https://github.com/octocat/Hello-World/pull/1347/files#r10',
      'github_comment:octocat/Hello-World/review/10',
    ],
    [
      'https://github.com/octocat/Hello-World/commit/6dcb09b5b57#commitcomment-77',
      'github_comment:octocat/Hello-World/commit/77',
    ],
    [
      'https://github.com/octocat/Hello-World/releases/latest',
      'github_release:octocat/Hello-World@v1.0.0',
    ],
    [
      'https://github.com/octocat/Hello-World/pull/1347/commits/6dcb09b5b57',
      'github_commit:octocat/Hello-World@6dcb09b5b57875f334f61aebed695e2e4193db5e',
    ],
    [
      'https://github.com/octocat/Hello-World/raw/master/README',
      'github_file:octocat/Hello-World@master:README',
    ],
    ['https://github.com/orgs/octocat/repositories', 'github_user:octocat'],
    [
      'https://github.com/octocat/Hello-World/actions/runs/30433643/attempts/1',
      'github_workflow_run:octocat/Hello-World@30433643',
    ],
    [
      'https://github.com/octocat/Hello-World/pull/1347',
      'github_pull_request:octocat/Hello-World#1347',
    ],
    [
      'https://github.com/octocat/Hello-World/pull/1347/checks',
      'github_pull_request:octocat/Hello-World#1347',
    ],
    [
      'https://github.com/octocat/Hello-World/pull/1347/changes#diff-1',
      'github_pull_request_files:octocat/Hello-World#1347@0+1',
    ],
    [
      'https://github.com/octocat/Hello-World/commit/6dcb09b5b57#diff-1',
      'github_commit:octocat/Hello-World@6dcb09b5b57875f334f61aebed695e2e4193db5e',
    ],
    [
      'https://github.com/octocat/Hello-World/compare/master...new-topic',
      'github_compare:octocat/Hello-World@master...new-topic',
    ],
    [
      'https://github.com/octocat/Hello-World/actions/runs/30433643/job/399444497?pr=1347',
      'github_workflow_run:octocat/Hello-World@30433643',
    ],
  ])('finds %s', async (url, id) => {
    const answer = await byUrl(url)
    expect(answer.status).toBe(200)
    expect(answer.json<Context>().context[0]?.id).toBe(id)
  })

  it('takes params and options beside the URL', async () => {
    const url = 'https://github.com/octocat/Hello-World/issues/1347'
    const answer = await byUrl(url, '&max_comments=0&max_tokens=200')
    expect(answer.json<Context>().context[0]?.comments).toEqual([])
  })

  it('does not let params beside the URL change where it leads', async () => {
    const answer = await byUrl('https://github.com/octocat/Hello-World', '&owner=other')
    expect(answer.json<Context>().context[0]?.id).toBe('github_repository:octocat/Hello-World')
  })

  it.each([
    'https://gitlab.com/octocat/Hello-World',
    'https://github.com.evil.example/octocat/Hello-World',
    'https://github.com@evil.example/octocat/Hello-World',
    'https://github.com/',
    'https://github.com/octocat/Hello-World/issues/1347/edit',
    'https://github.com/octocat/%E0%A4%A',
    'not a url',
  ])('refuses %s and says what it knows', async (url) => {
    const answer = await byUrl(url)
    expect(answer.status).toBe(400)
    const { code, errors } = answer.json<Problem>()
    expect(code).toBe('invalid_request')
    expect(errors).toEqual([
      {
        pointer: '/url',
        message: expect.stringContaining('https://github.com/{owner}/{repo}/issues/{issue_number}'),
      },
    ])
  })

  it.each([
    ['https://github.com/octocat/Hello-World/issues/new', '/params/issue_number'],
    ['https://github.com/octocat/Hello%20World', '/params/repo'],
    ['https://github.com/-octocat/Hello-World', '/params/owner'],
  ])('refuses %s at %s', async (url, pointer) => {
    const { status, errors } = (await byUrl(url)).json<Problem>()
    expect(status).toBe(400)
    expect(errors?.map((error) => error.pointer)).toEqual([pointer])
  })

  it.each(['', '?url=', '?url=a&url=b', '?owner=octocat'])('needs one url: %s', async (query) => {
    const answer = await app.get(`/mcp/context${query}`)
    expect(answer.status).toBe(400)
    expect(answer.json<Problem>().errors?.map((error) => error.pointer)).toEqual(['/url'])
  })

  it('knows the pages of a GitHub Enterprise Server instead of github.com', async () => {
    // The simulator has no base path: what is looked at here is the address alone.
    const enterprise = { url: `${github.url}/api/v3` }
    await using ours = await startApp({ github: enterprise })
    const { host } = new URL(github.url)
    const known = await ours.get(`/mcp/context?url=http://${host}/octocat/Hello-World`)
    expect(known.json<Problem>().code).toBe('not_found')
    expect(github.requests.at(-1)?.path).toBe('/api/v3/repos/octocat/hello-world')
    const other = await ours.get('/mcp/context?url=https://github.com/octocat/Hello-World')
    expect(other.json<Problem>().code).toBe('invalid_request')
  })
})
