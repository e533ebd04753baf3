import type { GetOptions, Listing, ListOptions } from '../core/github.ts'
import { unreadable } from './failures.ts'
import { pageOf, parseLinks } from './links.ts'

/** One page of a list as GitHub sent it. */
export interface Page {
  readonly data: unknown
  /** `Link` header. */
  readonly link: string | undefined
  /** Bytes of the body. */
  readonly size: number
}

/** What is kept of a page. */
interface Entries<T> extends Omit<Page, 'data'> {
  /** Undefined where the page is no list. */
  readonly list: readonly T[] | undefined
  /** The object that the list was under a field of. */
  readonly head: unknown
}

/** @param onLink told of the `Link` header before the page has come */
export type ReadPage = (template: string, request: GetOptions, onLink: OnLink) => Promise<Page>
export type OnLink = (link: string | undefined) => void

/** GitHub's largest page (docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api). */
const LARGEST_PAGE = 100
/** Pages of one listing at most: a window of 1,000 entries, wherever it starts. */
const MOST_PAGES = 11
/** Bytes of one listing at most. */
const MOST_BYTES = 16 * 1024 * 1024

/**
 * The window `offset`, `limit` of a list. The first page tells how many there are, the rest comes
 * side by side: two rounds at most, one when `eager`.
 */
export async function listPages<T>(
  read: ReadPage,
  template: string,
  { offset = 0, limit, eager = false, fixedPage, under, pick, ...request }: ListOptions<T>,
): Promise<Listing<T>> {
  const size = fixedPage ?? pageSize(offset, limit)
  const per_page = fixedPage === undefined ? size : undefined
  const first = Math.floor(offset / size) + 1
  const wanted = Math.min(Math.ceil((offset + limit) / size), first + MOST_PAGES - 1)
  const readNumber = async (number: number, onLink: OnLink = () => {}): Promise<Entries<T>> => {
    const query = { ...request.query, per_page, page: number }
    return entriesOf(await read(template, { ...request, query }, onLink), under, pick)
  }

  const pages = eager
    ? await Promise.all(range(first, wanted).map((number) => readNumber(number)))
    : await firstThenRest(readNumber, first, wanted)
  const used = withinBytes(pages)
  const entries = used.flatMap(({ list }) => list ?? noList())
  const skip = offset - (first - 1) * size
  const goesOn = parseLinks(used.at(-1)?.link).has('next')
  return {
    items: entries.slice(skip, skip + limit),
    more: goesOn || used.length < pages.length || entries.length > skip + limit,
    ...(under === undefined ? {} : { head: used[0]?.head }),
    ...(used.length < pages.length ? { capped: 'bytes' as const } : {}),
  }
}

function entriesOf<T>(
  { data, link, size }: Page,
  under: string | undefined,
  pick: ListOptions<T>['pick'],
): Entries<T> {
  const found = under === undefined ? data : (data as Record<string, unknown> | null)?.[under]
  const list = Array.isArray(found)
    ? pick
      ? found.map((one) => pick(one as never))
      : found
    : undefined
  return { list, link, size, head: under === undefined ? undefined : data }
}

function noList(): never {
  throw unreadable(new TypeError('a page of a list is not a list'))
}

async function firstThenRest<T>(
  read: (page: number, onLink?: OnLink) => Promise<Entries<T>>,
  first: number,
  wanted: number,
): Promise<Entries<T>[]> {
  let rest: Promise<Entries<T>[]> | undefined
  // The others are asked for before the first has come, and is read: that takes milliseconds.
  const head = await read(first, (link) => {
    rest ??= readRest(link)
    // Where the first is found unreadable nobody waits for them.
    rest.catch(() => {})
  })
  return [head, ...(await (rest ?? readRest(head.link)))]

  async function readRest(link: string | undefined): Promise<Entries<T>[]> {
    const links = parseLinks(link)
    if (!links.has('next')) return []
    const last = pageOf(links.get('last'))
    // Lists without a known end still take numbered pages; one past the end is empty.
    const numbers = range(first + 1, Math.min(wanted, last ?? wanted))
    return Promise.all(numbers.map((number) => read(number)))
  }
}

/** One page of just the window's size where the window lies on a page of its own, else large pages. */
function pageSize(offset: number, limit: number): number {
  return limit <= LARGEST_PAGE && offset % limit === 0 ? limit : LARGEST_PAGE
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}

/** Whole pages up to the byte cap; at least one. */
function withinBytes<T>(pages: readonly Entries<T>[]): readonly Entries<T>[] {
  let bytes = 0
  const end = pages.findIndex((page, index) => {
    bytes += page.size
    return bytes > MOST_BYTES && index > 0
  })
  return end === -1 ? pages : pages.slice(0, end)
}
