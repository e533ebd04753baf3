import { describe, expect, it } from 'vitest'
import { pageOf, parseLinks } from '../../src/github/links.ts'
import { budgetOf, expandPath } from '../../src/github/path.ts'
import { recordedScenarios } from '../support/github/recordings.ts'

describe('parseLinks', () => {
  it('reads what GitHub wrote', () => {
    const headers = recordedScenarios()
      .flat()
      .map(({ rawHeaders }) => rawHeaders[rawHeaders.indexOf('Link') + 1])
      .filter((value) => value?.startsWith('<'))
    expect(headers.length).toBeGreaterThan(3)
    for (const header of headers) {
      const links = parseLinks(header)
      expect(links.size).toBe(header?.match(/rel=/g)?.length)
      for (const relation of ['next', 'prev', 'first', 'last']) {
        const target = links.get(relation)
        if (target) expect(pageOf(target)).toBeGreaterThan(0)
      }
    }
    const [scenario] = headers.map(parseLinks).filter((links) => links.has('next'))
    expect([...(scenario?.keys() ?? [])]).toEqual(['next', 'last'])
  })

  it('keeps commas and semicolons in targets', () => {
    const links = parseLinks(
      '<https://h/a?labels=a,b;c&page=2>; rel="next", <https://h/a?page=9>; rel="last"',
    )
    expect([...links]).toEqual([
      ['next', 'https://h/a?labels=a,b;c&page=2'],
      ['last', 'https://h/a?page=9'],
    ])
  })

  it.each([undefined, '', 'nonsense', '<https://h/>', '<>; rel="next"'])(
    'finds none in %s',
    (value) => {
      expect(parseLinks(value).size).toBe(0)
    },
  )

  it.each([
    ['https://h/a?page=3&per_page=100', 3],
    ['https://h/a?per_page=100', undefined],
    ['https://h/a?page=x', undefined],
    ['https://h/a?after=Y3Vyc29y', undefined],
    ['http://[', undefined],
    [undefined, undefined],
  ])('%s leads to page %s', (target, page) => {
    expect(pageOf(target)).toBe(page)
  })
})

describe('expandPath', () => {
  it('fills and encodes', () => {
    const params = { owner: 'o', path: 'a b/../ü?#%' }
    expect(expandPath('/repos/{owner}/x/{path}', { params })).toBe(
      '/repos/o/x/a%20b%2F..%2F%C3%BC%3F%23%25',
    )
  })

  it('adds what of the query is there', () => {
    const query = { labels: 'a,b c&d', page: 2, since: undefined }
    expect(expandPath('/x', { query })).toBe('/x?labels=a%2Cb+c%26d&page=2')
    expect(expandPath('/x', { query: { since: undefined } })).toBe('/x')
  })

  it('does not send a place that nothing fills', () => {
    expect(() => expandPath('/repos/{owner}', { params: {} })).toThrow('{owner}')
  })

  it.each([
    ['/repos/o/r', 'core'],
    ['/search/issues?q=a', 'search'],
    ['/search/code?q=a', 'code_search'],
    ['/graphql', 'graphql'],
  ])('%s draws on %s', (path, budget) => {
    expect(budgetOf(path)).toBe(budget)
  })
})
