/** What answers of GitHub's GraphQL have in common. */

/** Null for a deleted account. */
export type Actor = { readonly login: string } | null

export interface GraphRepository {
  readonly nameWithOwner: string
  readonly visibility: string
}

/** A page of a list; an entry that could not be read is null. */
export interface Page<T> {
  readonly edges?: readonly (Edge<T> | null)[] | null
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}

export interface Edge<T> {
  readonly cursor: string
  readonly node: T | null
}

/** One entry of a list, and where to begin to find it first. */
export interface Entry<T> {
  readonly node: T
  /** Cursor of the entry before; none before the first of all. */
  readonly after: string | undefined
}

/** @param after the cursor with which the page was asked for */
export function entriesOf<T>(page: Page<T> | undefined, after?: string): Entry<T>[] {
  const edges = (page?.edges ?? []).filter((edge) => edge !== null)
  return edges.flatMap(({ node }, index) => {
    const before = index === 0 ? after : edges[index - 1]?.cursor
    return node === null ? [] : [{ node, after: before }]
  })
}

/** A place in a list as parameters: none at its start. */
export const startingAfter = (after: string | null | undefined) =>
  after === null || after === undefined ? {} : { after }

/** GitHub's own spelling of the names, also after a rename, and whether strangers may read it. */
export function repositoryIn({ nameWithOwner, visibility }: GraphRepository) {
  const [owner = '', repo = ''] = nameWithOwner.split('/')
  return {
    repository: { owner, repo },
    visibility: visibility === 'PUBLIC' ? ('public' as const) : ('private' as const),
  }
}
