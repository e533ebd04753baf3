import { expect, it } from 'vitest'
import { listing } from '../../src/mcp/protocol/listing.ts'
import type { Call } from '../../src/mcp/protocol/methods.ts'

const names = Array.from({ length: 7 }, (_, index) => ({ name: `tool ${index}` }))
const list = listing('tools', names, { ttlMs: 1_000, cacheScope: 'public' }, 3)

interface ListPage {
  readonly tools: readonly object[]
  readonly nextCursor?: string
}

async function pageAt(cursor?: string): Promise<ListPage> {
  const call = { era: 'legacy' } as unknown as Call
  const { members } = (await list(cursor === undefined ? {} : { cursor }, call)) as {
    members: Buffer
  }
  return JSON.parse(`{${members}}`)
}

it('a long list comes page by page, each entry once', async () => {
  const sizes: number[] = []
  const seen: object[] = []
  let cursor: string | undefined
  do {
    const page = await pageAt(cursor)
    sizes.push(page.tools.length)
    seen.push(...page.tools)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  expect(sizes).toEqual([3, 3, 1])
  expect(seen).toEqual(names)
})

it.each(['', 'nonsense', Buffer.from('from 99').toString('base64url')])(
  'the cursor %j, which nobody gave out, is refused',
  async (cursor) => {
    await expect(pageAt(cursor)).rejects.toMatchObject({ code: -32602 })
  },
)
