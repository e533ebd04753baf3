import { describe, expect, it } from 'vitest'
import { createCleaner } from '../../../src/context/safe/cleaner.ts'
import { cleanGitHub } from '../../../src/context/safe/cleanGitHub.ts'
import type { GitHub } from '../../../src/core/github.ts'

/** Answers everything with the same text, and says what it was asked. */
function echo(text: string) {
  const asked: unknown[][] = []
  const answer =
    (value: unknown) =>
    async (...args: unknown[]) => {
      asked.push(args)
      return value
    }
  const github = {
    get: answer({ body: text }),
    bytes: answer(Buffer.from(text)),
    list: answer({ items: [{ body: text }], head: { note: text }, more: true }),
    download: answer({ text, skipped: 7 }),
    graphql: answer({ node: { body: text } }),
  } as unknown as GitHub
  return { github, asked }
}

describe('cleanGitHub', () => {
  it('cleans all that comes, whichever way it was asked for', async () => {
    const { github, asked } = echo('a\u200B<!-- b -->')
    const cleaner = createCleaner()
    const clean = cleanGitHub(github, cleaner)
    const options = { params: { path: 'a.md' } }
    expect(await clean.get('/a', 'body' as never, options)).toEqual({ body: 'a' })
    expect((await clean.bytes('/b', options)).toString()).toBe('a')
    expect(await clean.list('/c', { limit: 1 })).toEqual({
      items: [{ body: 'a' }],
      head: { note: 'a' },
      more: true,
    })
    expect(await clean.download('/d', { tail: 9 })).toEqual({ text: 'a<!-- b -->', skipped: 7 })
    expect(await clean.graphql('{ e }', { f: 1 })).toEqual({ node: { body: 'a' } })
    expect(asked).toEqual([
      ['/a', 'body', options],
      ['/b', options],
      ['/c', { limit: 1 }],
      ['/d', { tail: 9 }],
      ['{ e }', { f: 1 }],
    ])
    expect(cleaner.removed()).toEqual({ hidden_characters: 6, html_comments: 5 })
  })

  it('covers every method', () => {
    const { github } = echo('')
    expect(Object.keys(cleanGitHub(github, createCleaner())).sort()).toEqual(
      Object.keys(github).sort(),
    )
  })

  it('knows a file by its path, else by where it is read', async () => {
    const clean = cleanGitHub(echo('a<!-- b -->').github, createCleaner())
    const read = async (path: string, params = {}) =>
      (await clean.bytes(path, { params })).toString()
    expect(await read('/repos/{owner}/{repo}/contents/{+path}', { path: 'a.html' })).toBe(
      'a<!-- b -->',
    )
    expect(await read('/repos/{owner}/{repo}/contents/{+path}', { path: 'a.md' })).toBe('a')
    expect(await read('/repos/{owner}/{repo}/readme')).toBe('a')
  })
})
