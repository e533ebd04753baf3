import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call } from './github/client.ts'
import { filesOf } from './github/git.ts'
import {
  addAccount,
  addFiles,
  addRelease,
  addRepository,
  addTag,
  documented,
  type GitHub,
  OCTOCAT_TOKEN,
  type Repository,
  startGitHub,
} from './github/index.ts'

let github: GitHub
let repository: Repository
beforeEach(async () => {
  github = await startGitHub()
  repository = addRepository(github.world, { owner: 'acme', name: 'api', default_branch: 'main' })
})
afterEach(() => github.close())

const get = (path: string, accept = 'application/vnd.github+json', token = OCTOCAT_TOKEN) =>
  call(github, path, { accept }, token)
const api = async (path: string, accept?: string) =>
  (await get(`/repos/acme/api/${path}`, accept)).json()
const status = async (path: string) => (await get(`/repos/acme/api/${path}`)).status
const RAW = 'application/vnd.github.raw+json'
const day = (number: number) => `2026-01-0${number}T00:00:00Z`

/** What `git` itself makes of the same files, people and dates. */
const FIRST = '425e364dcac8a63d27737d2ef0154557bb0f0480'
const SECOND = 'cd97566e0a0cd72baaed8832c13accf77aac948a'

function commitTwice() {
  const first = addFiles(
    github.world,
    repository,
    {
      'a.txt': 'hi\n',
      'b/c d.ts': 'x',
      'b.x': '1',
      'b/ü/z': { executable: 'run' },
      l: { symlink: 'a.txt' },
      'a-/x': 'q',
    },
    { date: day(1), message: 'one\n' },
  )
  const second = addFiles(
    github.world,
    repository,
    { 'a.txt': null, n: 'new' },
    { date: day(2), message: 'two\n' },
  )
  return [first, second] as const
}

describe('git', () => {
  it('names every object as git does', () => {
    const [first, second] = commitTwice()
    expect([first.sha, second.sha]).toEqual([FIRST, SECOND])
    expect(second.parents).toEqual([first.sha])
    expect(filesOf(repository.git, second.tree).map(({ path }) => path)).toEqual([
      'a-/x',
      'b.x',
      'b/c d.ts',
      'b/ü/z',
      'l',
      'n',
    ])
  })
})

describe('contents', () => {
  it('tells files, folders, links and submodules apart', async () => {
    addFiles(github.world, repository, {
      'src/a.ts': 'text',
      'src/bin': { executable: 'run' },
      'src/inner/b.ts': 'b',
      link: { symlink: 'src/a.ts' },
      'src/up': { symlink: '../link' },
      folder: { symlink: 'src' },
      outside: { symlink: '../../etc/passwd' },
      absolute: { symlink: '/src/a.ts' },
      vendor: { submodule: '6ca3721222109997540bd6d9ccd396902e0ad2f9' },
      elsewhere: { submodule: '6ca3721222109997540bd6d9ccd396902e0ad2f9' },
      '.gitmodules':
        '[submodule "vendor"]\n\tpath = vendor\n\turl = git://github.com/jquery/qunit.git\n' +
        '[submodule "elsewhere"]\n\tpath = elsewhere\n\turl = https://example.com/x.git\n',
    })
    const types: [string, string][] = [
      ['src/a.ts', 'file'],
      ['src/bin', 'file'],
      ['link', 'file'],
      ['folder', 'symlink'],
      ['outside', 'symlink'],
      ['absolute', 'symlink'],
      ['src/up', 'symlink'],
      ['vendor', 'submodule'],
    ]
    for (const [path, type] of types) {
      expect([path, (await api(`contents/${path}`)).type]).toEqual([path, type])
    }
    expect(await api('contents/link')).toMatchObject({
      name: 'link',
      path: 'link',
      size: 4,
      content: 'dGV4dA==\n',
    })
    expect(await api('contents/folder')).toMatchObject({ target: 'src' })
    expect(await api('contents/vendor')).toMatchObject({
      submodule_git_url: 'git://github.com/jquery/qunit.git',
      html_url: 'https://github.com/jquery/qunit/tree/6ca3721222109997540bd6d9ccd396902e0ad2f9',
    })
    expect(await api('contents/elsewhere')).toMatchObject({ html_url: null, git_url: null })
    const root = await api('contents')
    expect(root.map(({ name, type }: Record<string, string>) => `${name} ${type}`)).toEqual([
      '.gitmodules file',
      'absolute symlink',
      'elsewhere file',
      'folder symlink',
      'link symlink',
      'outside symlink',
      'src dir',
      'vendor file',
    ])
    const object = await api('contents/src', 'application/vnd.github.object+json')
    expect(object).toMatchObject({ type: 'dir', path: 'src' })
    expect(object.sha).toBe((await api('git/trees/main')).tree.at(-2).sha)
    expect(object.entries.map(({ name }: { name: string }) => name)).toEqual([
      'a.ts',
      'bin',
      'inner',
      'up',
    ])
  })

  it('has the fields of the documented answers, in the recorded order', async () => {
    addFiles(github.world, repository, { 'a.ts': 'text' })
    const [recorded] = (await get('/repos/octokit-fixture-org/hello-world/contents/')).json()
    const [listed] = await api('contents/')
    expect(Object.keys(listed)).toEqual(Object.keys(recorded))
    const whole = documented('GET', '/repos/{owner}/{repo}/contents/{path}') as object
    expect(Object.keys(await api('contents/a.ts')).sort()).toEqual(Object.keys(whole).sort())
  })

  it('goes by branch, tag and sha, and says what is not there', async () => {
    const { sha } = addFiles(github.world, repository, { a: 'old' })
    addTag(github.world, repository, 'v1', sha)
    addFiles(github.world, repository, { a: 'new' })
    addFiles(github.world, repository, { a: 'side' }, { branch: 'fix/it', from: 'main' })
    const text = async (ref: string) => (await get(`/repos/acme/api/contents/a${ref}`, RAW)).text
    expect(await text('')).toBe('new')
    for (const ref of ['v1', sha, sha.slice(0, 8), 'refs/tags/v1']) {
      expect([ref, await text(`?ref=${ref}`)]).toEqual([ref, 'old'])
    }
    expect(await text('?ref=fix%2Fit')).toBe('side')
    const missing = await get('/repos/acme/api/contents/a?ref=nope')
    expect([missing.status, missing.json().message]).toEqual([
      404,
      'No commit found for the ref nope',
    ])
    for (const path of ['contents/b', 'contents/a/b', 'contents/a?ref=0123456789']) {
      expect([path, await status(path)]).toEqual([path, 404])
    }
  })

  it('takes any name that git takes', async () => {
    const names = ['a b', 'ü', '#1?', 'line\nbreak', '100%', '日本/語', '..x', 'a+b']
    addFiles(github.world, repository, Object.fromEntries(names.map((name) => [name, name])))
    for (const name of names) {
      const path = name.split('/').map(encodeURIComponent).join('/')
      const answer = await get(`/repos/acme/api/contents/${path}`)
      expect(answer.json()).toMatchObject({ path: name })
      const url = new URL(answer.json().url)
      expect((await get(url.pathname + url.search, RAW)).text).toBe(name)
    }
  })

  it('gives no text over 1 MB but raw, nothing over 100 MB, and 1,000 entries of a folder', async () => {
    const big = 'x'.repeat(1024 * 1024)
    addFiles(github.world, repository, {
      fits: big,
      large: `${big}y`,
      huge: Buffer.alloc(100 * 1024 * 1024 + 1),
      ...Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`many/${i}`, ''])),
    })
    expect((await api('contents/fits')).encoding).toBe('base64')
    expect(await api('contents/large')).toMatchObject({
      size: big.length + 1,
      content: '',
      encoding: 'none',
    })
    const raw = await get('/repos/acme/api/contents/large', RAW)
    expect([raw.text.length, raw.headers['content-type']]).toEqual([
      big.length + 1,
      'application/vnd.github.raw+json; charset=utf-8',
    ])
    const huge = await get('/repos/acme/api/contents/huge')
    expect([huge.status, huge.json().errors[0].code]).toEqual([403, 'too_large'])
    expect(await api('contents/many')).toHaveLength(1_000)
  })

  it('says what is empty, each endpoint in its own way', async () => {
    expect((await api('contents/a')).message).toBe('This repository is empty.')
    const answers = ['contents/a', 'readme', 'git/trees/main', 'git/trees/HEAD', 'contributors']
    expect(await Promise.all(answers.map(status))).toEqual([404, 404, 409, 409, 204])
    expect(await api('languages')).toEqual({})
    expect(await api('releases')).toEqual([])
    expect(await status('releases/latest')).toBe(404)
  })

  it('finds the readme where GitHub looks for it', async () => {
    addFiles(github.world, repository, { 'docs/README.md': 'docs', 'a/README': 'no' })
    expect((await get('/repos/acme/api/readme', RAW)).text).toBe('docs')
    addFiles(github.world, repository, { 'Readme.rst': 'root' })
    expect(await api('readme')).toMatchObject({ path: 'Readme.rst', encoding: 'base64' })
    addFiles(github.world, repository, { '.github/readme.md': 'first' })
    expect((await get('/repos/acme/api/readme', RAW)).text).toBe('first')
  })
})

describe('trees and blobs', () => {
  it('lists a folder, or all below it, to its limits', async () => {
    const [, { sha }] = commitTwice()
    const paths = async (query: string) => {
      const { tree, truncated } = await api(`git/trees/${query}`)
      return [tree.map(({ path }: { path: string }) => path), truncated]
    }
    const top = ['a-', 'b.x', 'b', 'l', 'n']
    const all = ['a-', 'a-/x', 'b.x', 'b', 'b/c d.ts', 'b/ü', 'b/ü/z', 'l', 'n']
    expect(await paths('main')).toEqual([top, false])
    expect(await paths(sha)).toEqual([top, false])
    expect(await paths('HEAD?recursive=1')).toEqual([all, false])
    expect(await paths('HEAD:b')).toEqual([['c d.ts', 'ü'], false])
    github.world.treeLimits.entries = 4
    expect(await paths('main?recursive=1')).toEqual([all.slice(0, 4), true])
    const { tree } = await api('git/trees/main')
    expect(tree.slice(0, 4)).toEqual([
      expect.objectContaining({ path: 'a-', mode: '040000', type: 'tree' }),
      expect.objectContaining({ path: 'b.x', mode: '100644', type: 'blob', size: 1 }),
      expect.objectContaining({ path: 'b', type: 'tree' }),
      expect.objectContaining({ path: 'l', mode: '120000', size: 5 }),
    ])
    const { sha: blob } = tree[1]
    expect(await api(`git/blobs/${blob}`)).toMatchObject({ size: 1, content: 'MQ==\n' })
    expect((await get(`/repos/acme/api/git/blobs/${blob}`, RAW)).text).toBe('1')
    expect(await status('git/trees/nope')).toBe(404)
    expect(await status(`git/blobs/${'0'.repeat(40)}`)).toBe(404)
  })
})

describe('what a repository is made of', () => {
  it('counts languages and contributors', async () => {
    addAccount(github.world, { login: 'ann', token: 'ann-token' })
    const by = (author: string | { name: string; email: string }, i: number) =>
      addFiles(
        github.world,
        repository,
        { [`${i}.ts`]: 'x'.repeat(i), [`${i}.py`]: 'y' },
        { author },
      )
    by('ann', 1)
    by({ name: 'Bob', email: 'bob@example.com' }, 2)
    by('ann', 3)
    expect(await api('languages')).toEqual({ TypeScript: 6, Python: 3 })
    expect(await api('contributors')).toEqual([
      expect.objectContaining({ login: 'ann', type: 'User', contributions: 2 }),
    ])
    expect((await api('contributors?anon=1'))[1]).toEqual({
      email: 'bob@example.com',
      name: 'Bob',
      type: 'Anonymous',
      contributions: 1,
    })
  })

  it('lists releases newest first, drafts for who may push alone', async () => {
    addAccount(github.world, { login: 'acme', token: 'acme-token' })
    const add = (tag_name: string, number: number, more: object = {}) =>
      addRelease(github.world, repository, { tag_name, created_at: day(number), ...more })
    add('v1', 1, { assets: ['api.zip'], author: null })
    add('v2/final', 2)
    add('v3', 3, { prerelease: true })
    add('v4', 4, { draft: true })
    const tags = (list: { tag_name: string }[]) => list.map(({ tag_name }) => tag_name)
    expect(tags(await api('releases'))).toEqual(['v3', 'v2/final', 'v1'])
    const own = await get('/repos/acme/api/releases', undefined, 'acme-token')
    expect(tags(own.json())).toEqual(['v4', 'v3', 'v2/final', 'v1'])
    expect((await api('releases/latest')).tag_name).toBe('v2/final')
    expect((await api('releases/tags/v2%2Ffinal')).html_url).toContain('acme/api/releases')
    expect(await api('releases/tags/v1')).toMatchObject({
      author: null,
      assets: [
        {
          name: 'api.zip',
          browser_download_url: 'https://github.com/acme/api/releases/download/v1/api.zip',
        },
      ],
    })
    expect(await status('releases/tags/v4')).toBe(404)
    const base = '/repos/octocat/Hello-World'
    expect((await get(`${base}/releases`)).json()).toEqual(
      documented('GET', '/repos/{owner}/{repo}/releases'),
    )
  })
})

describe('lists and searches', () => {
  it('lists the public repositories of an account, and all that the caller was given', async () => {
    const { world } = github
    addRepository(world, { owner: 'mona', name: 'b', created_at: day(1) })
    addRepository(world, { owner: 'mona', name: 'A', created_at: day(2), private: true })
    addRepository(world, { owner: 'mona', name: 'c', created_at: day(3) })
    addRepository(world, { owner: 'acme', name: 'x', private: true, readers: ['octocat'] })
    const names = async (path: string) =>
      (await get(path)).json().map(({ full_name }: { full_name: string }) => full_name)
    expect(await names('/users/mona/repos')).toEqual(['mona/b', 'mona/c'])
    expect(await names('/users/MONA/repos?sort=created')).toEqual(['mona/c', 'mona/b'])
    expect(await names('/user/repos')).toEqual(['acme/x', 'octocat/Hello-World'])
    expect(await names('/user/repos?visibility=public')).toEqual(['octocat/Hello-World'])
    expect((await call(github, '/user/repos', {}, null)).status).toBe(401)
    expect((await get('/users/nobody/repos')).status).toBe(404)
  })

  it('searches code of default branches for callers with a name', async () => {
    const { world } = github
    addFiles(world, repository, {
      'src/login.ts': 'one\ntwo\nfunction Login() {}\nfour\nfive\nsix',
      'src/big.ts': `Login ${'x'.repeat(384 * 1024)}`,
      'bin/login': Buffer.from('login\0'),
      'docs/a.md': 'nothing',
    })
    addFiles(world, repository, { 'src/side.ts': 'login' }, { branch: 'side', from: 'main' })
    addRepository(world, { owner: 'acme', name: 'hidden', private: true })
    const search = (q: string, accept?: string, token: string | null = OCTOCAT_TOKEN) =>
      call(github, `/search/code?q=${encodeURIComponent(q)}`, accept ? { accept } : {}, token)
    const match = 'application/vnd.github.text-match+json'
    const answer = await search('login repo:acme/api', match)
    expect(answer.headers['x-ratelimit-resource']).toBe('code_search')
    const { total_count, incomplete_results, items } = answer.json()
    expect([total_count, incomplete_results]).toEqual([1, false])
    expect(items[0]).toMatchObject({
      path: 'src/login.ts',
      repository: { full_name: 'acme/api' },
      text_matches: [
        {
          property: 'content',
          fragment: 'one\ntwo\nfunction Login() {}\nfour\nfive',
          matches: [{ text: 'Login', indices: [17, 22] }],
        },
        { property: 'path', fragment: 'src/login.ts' },
      ],
    })
    expect((await search('login repo:acme/api')).json().items[0]).not.toHaveProperty('text_matches')
    expect((await search('login path:docs')).json().total_count).toBe(0)
    expect((await search('login user:acme extension:ts')).json().total_count).toBe(1)
    expect((await search('login', undefined, null)).status).toBe(401)
    expect((await search('repo:acme/api')).status).toBe(422)
    expect((await search('x repo:acme/hidden')).json().message).toBe('Validation Failed')
    world.searchesIncomplete = true
    expect((await search('login')).json().incomplete_results).toBe(true)
    const known = documented('GET', '/search/code') as { items: { repository: object }[] }
    expect(Object.keys(items[0].repository).sort()).toEqual(
      Object.keys(known.items[0]?.repository ?? {}).sort(),
    )
  })
})
