import type { Era } from './era.ts'
import { CODES, RpcError } from './message.ts'
import { type CacheHint, cacheable, type Members, type Method, type Result } from './methods.ts'

/** Entries of one page. */
const PAGE = 100

/**
 * A list that never changes while the process runs, served as bytes, page by page
 * (specification, "Pagination").
 * @param member name of the list in its result
 */
export function listing(
  member: string,
  items: readonly object[],
  hint: CacheHint,
  page = PAGE,
): Method {
  const known = new Map<string, Members>()

  function bytesOf(era: Era, start: number): Members {
    const name = `${era} ${start}`
    const kept = known.get(name)
    if (kept) return kept
    const end = start + page
    const result: Result = cacheable(
      { era },
      {
        [member]: items.slice(start, end),
        ...(end < items.length ? { nextCursor: cursorAt(end) } : {}),
      },
      hint,
    )
    const made = { members: Buffer.from(JSON.stringify(result).slice(1, -1)) }
    known.set(name, made)
    return made
  }

  return ({ cursor }, { era }) => bytesOf(era, startOf(cursor, page, items.length))
}

const cursorAt = (start: number) => Buffer.from(`from ${start}`).toString('base64url')

/** @throws RpcError `invalidParams` for a cursor that no page of this list has given */
function startOf(cursor: unknown, page: number, size: number): number {
  if (cursor === undefined) return 0
  const text = typeof cursor === 'string' ? Buffer.from(cursor, 'base64url').toString() : ''
  const start = Number(/^from (\d+)$/.exec(text)?.[1])
  if (start % page === 0 && start < size) return start
  throw new RpcError(CODES.invalidParams, 'The cursor is not one of this list. Start without one.')
}
