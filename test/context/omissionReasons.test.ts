import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

/** Reasons in the first column of the table of what no request fetches. */
function documented(): string[] {
  const text = readFileSync(join(ROOT, 'docs/omissions.md'), 'utf8')
  const rows = text.slice(text.indexOf('## What no request fetches')).match(/^\| `.*$/gm) ?? []
  return rows.flatMap((row) => row.split('|')[1]?.match(/\w+/g) ?? [])
}

/** The object that is written around a place in a program. */
function objectAround(text: string, at: number): string {
  let start = at
  for (let depth = 0; start > 0 && !(text[start] === '{' && depth === 0); start -= 1) {
    if (text[start] === '}') depth += 1
    else if (text[start] === '{') depth -= 1
  }
  let end = at
  for (let depth = 0; end < text.length && !(text[end] === '}' && depth === 0); end += 1) {
    if (text[end] === '{') depth += 1
    else if (text[end] === '}') depth -= 1
  }
  return text.slice(start, end + 1)
}

/** Reasons of omissions that are written without a request that fetches them. */
function withoutRequest(): { reason: string; place: string }[] {
  return globSync('src/context/**/*.ts', { cwd: ROOT }).flatMap((place) => {
    const text = readFileSync(join(ROOT, place), 'utf8')
    return [...text.matchAll(/\breason: '(\w+)'/g)].flatMap(({ 1: reason = '', index }) => {
      const object = objectAround(text, index)
      return /\bnext\b/.test(object) || !/\bwhat\b|\.\.\.rest/.test(object)
        ? []
        : [{ reason, place }]
    })
  })
}

describe('an omission without the request that fetches it', () => {
  it('has a reason that the documents name', () => {
    const found = withoutRequest()
    expect(found.length).toBeGreaterThan(5)
    const named = documented()
    expect(found.filter(({ reason }) => !named.includes(reason))).toEqual([])
  })

  it('and none is named that there is not', () => {
    const program = globSync('src/{context,core}/**/*.ts', { cwd: ROOT })
      .map((place) => readFileSync(join(ROOT, place), 'utf8'))
      .join('\n')
    for (const reason of documented()) expect(program).toContain(`'${reason}'`)
  })
})
