import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { listPages, type ReadPage } from '../../src/github/pagination.ts'

interface Asked {
  page: number
  perPage: number
}

/** A list of numbers in pages, as GitHub would cut it. */
function listOf(total: number, { known = true, size = 100 } = {}) {
  const asked: Asked[] = []
  const all = Array.from({ length: total }, (_, index) => index)
  const read = async (_template: string, { query = {} }: { query?: Record<string, unknown> }) => {
    const [page, perPage] = [Number(query.page), Number(query.per_page)]
    asked.push({ page, perPage })
    const last = Math.ceil(total / perPage)
    const links = page < last ? [`<https://h/x?page=${page + 1}>; rel="next"`] : []
    if (page < last && known) links.push(`<https://h/x?page=${last}>; rel="last"`)
    const data = all.slice((page - 1) * perPage, page * perPage)
    return { data, link: links.join(', ') || undefined, size }
  }
  return { all, asked, read }
}

describe('listPages', () => {
  it('gives exactly the window, and says whether there is more', async () => {
    const window = fc.record({
      total: fc.integer({ min: 0, max: 1_400 }),
      offset: fc.integer({ min: 0, max: 1_500 }),
      limit: fc.integer({ min: 1, max: 1_000 }),
      known: fc.boolean(),
      eager: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(window, async ({ total, offset, limit, known, eager }) => {
        const { all, asked, read } = listOf(total, { known })
        const { items, more, capped } = await listPages(read, '/x', { offset, limit, eager })
        expect(items).toEqual(all.slice(offset, offset + limit))
        if (offset <= total) expect(more).toBe(offset + limit < total)
        expect(capped).toBeUndefined()
        expect(asked.length).toBeLessThanOrEqual(11)
        expect(asked.every(({ perPage }) => perPage <= 100)).toBe(true)
        expect(new Set(asked.map(({ page }) => page)).size).toBe(asked.length)
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    { eager: false, rounds: [1, 9] },
    { eager: true, rounds: [10] },
  ])('takes $rounds.length rounds for a thousand entries', async ({ eager, rounds }) => {
    const { read } = listOf(1_000)
    const open: (() => void)[] = []
    const listing = listPages(
      async (...asked: Parameters<typeof read>) => {
        await new Promise<void>((answer) => open.push(answer))
        return read(...asked)
      },
      '/x',
      { limit: 1_000, eager },
    )
    const seen: number[] = []
    while (open.length > 0) {
      seen.push(open.length)
      // All that is under way is answered together.
      for (const answer of open.splice(0)) answer()
      await new Promise(setImmediate)
    }
    expect(seen).toEqual(rounds)
    expect((await listing).items).toHaveLength(1_000)
  })

  it('asks for no more entries than are wanted where a page can be that small', async () => {
    const { asked, read } = listOf(500)
    await listPages(read, '/x', { limit: 30 })
    await listPages(read, '/x', { offset: 60, limit: 30 })
    expect(asked).toEqual([
      { page: 1, perPage: 30 },
      { page: 3, perPage: 30 },
    ])
  })

  it('goes by the pages of a resource that has its own', async () => {
    const pages: unknown[] = []
    const entries = Array.from({ length: 700 }, (_, index) => index)
    const read = async (_template: string, { query = {} }: { query?: Record<string, unknown> }) => {
      pages.push(query)
      const page = Number(query.page)
      const next = page < 3 ? `<https://h/x?page=${page + 1}>; rel="next"` : undefined
      const files = entries.slice((page - 1) * 300, page * 300)
      return { data: { sha: 'a', files }, link: next, size: 1 }
    }
    const window = { offset: 299, limit: 302, fixedPage: 300, under: 'files', eager: true }
    const { head, items, more } = await listPages(read, '/x', window)
    expect(items).toEqual(entries.slice(299, 601))
    expect([more, (head as { sha: string }).sha]).toEqual([true, 'a'])
    expect(pages).toEqual([{ page: 1 }, { page: 2 }, { page: 3 }])
  })

  it('keeps the query that it was given', async () => {
    const queries: unknown[] = []
    const read = async (_template: string, request: object) => {
      queries.push(request)
      return { data: [], link: undefined, size: 2 }
    }
    await listPages(read, '/x', { limit: 10, query: { state: 'open' }, params: { owner: 'o' } })
    expect(queries).toEqual([
      { params: { owner: 'o' }, query: { state: 'open', per_page: 10, page: 1 } },
    ])
  })

  it('stops at a cap of bytes with whole pages, at least one, and says so', async () => {
    const { read } = listOf(1_000, { size: 6 * 1024 * 1024 })
    expect(await listPages(read, '/x', { limit: 1_000 })).toMatchObject({
      items: { length: 200 },
      more: true,
      capped: 'bytes',
    })
    const giant = listOf(1_000, { size: 60 * 1024 * 1024 })
    expect((await listPages(giant.read, '/x', { limit: 1_000 })).items).toHaveLength(100)
  })

  it('fails as a whole when a page fails', async () => {
    const { read } = listOf(500)
    const broken = async (template: string, request: { query?: Record<string, unknown> }) => {
      if (request.query?.page === 3) throw new Error('page 3')
      return read(template, request)
    }
    await expect(listPages(broken, '/x', { limit: 500 })).rejects.toThrow('page 3')
  })

  it('asks for the rest as soon as the first tells of it, and ends where that cannot be read', async () => {
    const { asked, read } = listOf(500)
    const first = Promise.withResolvers<never>()
    const early = async (...[template, request, onLink]: Parameters<ReadPage>) => {
      const page = await read(template, request)
      if (request.query?.page !== 1) return page
      onLink(page.link)
      return first.promise
    }
    const listing = listPages(early, '/x', { limit: 500 })
    await new Promise(setImmediate)
    expect(asked.map(({ page }) => page)).toEqual([1, 2, 3, 4, 5])
    first.reject(new Error('no JSON'))
    await expect(listing).rejects.toThrow('no JSON')
  })

  it('keeps of each entry what is wanted of it', async () => {
    const { read } = listOf(250)
    const pick = (entry: number) => `#${entry}`
    const { items } = await listPages<string>(read, '/x', { offset: 90, limit: 120, pick })
    expect(items).toEqual(Array.from({ length: 120 }, (_, at) => `#${90 + at}`))
  })

  it('takes nothing but a list for a list', async () => {
    const read = async () => ({ data: { message: 'moved' }, link: undefined, size: 20 })
    await expect(listPages(read, '/x', { limit: 10 })).rejects.toMatchObject({
      code: 'upstream_error',
    })
  })
})
