import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call } from './github/client.ts'
import {
  addComments,
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from './github/index.ts'

const PAGINATED =
  '/repos/octokit-fixture-org/tmp-scenario-paginate-issues-20220719043836917-izyoe/issues'
const HELLO = '/repos/octocat/Hello-World'

let github: GitHub
beforeEach(async () => {
  github = await startGitHub()
})
afterEach(() => github.close())

const get = (path: string) => call(github, path, {}, OCTOCAT_TOKEN)

describe('lists', () => {
  it('pages by Link to the last page', async () => {
    const numbers: number[] = []
    let next: string | undefined = `${PAGINATED}?per_page=3`
    for (let i = 0; next && i < 10; i++) {
      const page = await get(next)
      numbers.push(...page.json().map(({ number }: { number: number }) => number))
      const links = String(page.headers.link)
      next = /<([^>]+)>; rel="next"/.exec(links)?.[1]
      if (i === 0) {
        expect(links).toBe(
          `<${github.url}/repositories/515435940/issues?per_page=3&page=2>; rel="next", ` +
            `<${github.url}/repositories/515435940/issues?per_page=3&page=5>; rel="last"`,
        )
      }
    }
    expect(numbers).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
    github.world.pagination = 'next-only'
    expect((await get(`${PAGINATED}?per_page=3`)).headers.link).not.toContain('last')
  })

  it('filters, sorts, marks pull requests and survives bad paging', async () => {
    const { world } = github
    const repository = addRepository(world, { owner: 'acme', name: 'api' })
    const time = (minute: number) => `2026-01-01T00:0${minute}:00Z`
    addIssue(world, repository, { title: 'one', labels: ['bug', 'p1'], created_at: time(1) })
    addIssue(world, repository, { title: 'two', state: 'closed', created_at: time(2) })
    const last = addIssue(world, repository, {
      pull_request: true,
      user: null,
      created_at: time(3),
    })
    addComments(world, last, 3, (i) => ({ updated_at: time(i), body: `c${i}` }))
    const list = async (query: string) => {
      const answer = await get(`/repos/acme/api/issues${query}`)
      return answer.json().map(({ number }: { number: number }) => number)
    }
    expect(await list('')).toEqual([3, 1])
    expect(await list('?state=all&sort=created&direction=asc')).toEqual([1, 2, 3])
    expect(await list('?state=closed')).toEqual([2])
    expect(await list('?labels=bug,P1')).toEqual([1])
    expect(await list(`?state=all&since=${time(2)}`)).toEqual([3, 2])
    expect(await list('?state=all&sort=comments')).toEqual([3, 2, 1])
    expect(await list('?per_page=1000&page=no')).toEqual([3, 1])
    expect(await list('?per_page=1&page=2')).toEqual([1])
    expect((await get('/repos/acme/api/issues?since=soon')).status).toBe(422)
    const [pull, issue] = (await get('/repos/acme/api/issues')).json()
    expect([pull.pull_request.url, pull.user]).toEqual([
      'https://api.github.com/repos/acme/api/pulls/3',
      null,
    ])
    expect(issue).not.toHaveProperty('pull_request')
    const comments = await get(`/repos/acme/api/issues/3/comments?since=${time(1)}&per_page=1`)
    expect(comments.json()[0]).toMatchObject({ body: 'c1' })
    expect(comments.headers.link).toContain(`${repository.body.id}/issues/3/comments?since=`)
    expect((await get('/repos/acme/api')).json().open_issues_count).toBe(2)
  })

  it('takes more than 100 a page for 100', async () => {
    const repository = addRepository(github.world, { owner: 'acme', name: 'big' })
    for (let i = 0; i < 101; i++) addIssue(github.world, repository)
    expect((await get('/repos/acme/big/issues?per_page=1000')).json()).toHaveLength(100)
    expect((await get('/repos/acme/big/issues?per_page=0')).json()).toHaveLength(30)
  })

  it('searches what the caller may read', async () => {
    const { world } = github
    const hidden = addRepository(world, { owner: 'acme', name: 'hidden', private: true })
    addIssue(world, hidden, { title: 'sesame', user: 'mona' })
    addIssue(world, HELLO.slice(7), { title: 'open sesame', user: 'mona', pull_request: true })
    const found = async (q: string) => {
      const { headers, json } = await get(`/search/issues?q=${encodeURIComponent(q)}`)
      expect([headers.etag, headers['x-ratelimit-resource']]).toEqual([undefined, 'search'])
      return json()
    }
    expect((await found('sesame author:mona')).items).toMatchObject([
      { title: 'open sesame', score: 1 },
    ])
    expect((await found('sesame author:mona is:issue')).total_count).toBe(0)
    expect((await found('sesame repo:acme/hidden')).message).toBe('Validation Failed')
    expect((await found('')).errors).toEqual([{ resource: 'Search', field: 'q', code: 'missing' }])
  })
})
