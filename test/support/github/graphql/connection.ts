import type { FieldNode, GraphQLResolveInfo, SelectionNode } from 'graphql'
import { problem } from './problems.ts'

export interface PageArgs {
  first?: number | null
  last?: number | null
  after?: string | null
  before?: string | null
}

/**
 * A page of `items` as GitHub's connections give them. A cursor names the item by `keyOf`, so that a page goes
 * on where it ended although something was added before it.
 */
export function connection<T>(
  items: readonly T[],
  args: PageArgs,
  info: GraphQLResolveInfo,
  keyOf: (item: T) => string | number,
  nodeOf: (item: T) => unknown,
) {
  const { first, last } = args
  const cursorOf = (item: T) => Buffer.from(`cursor:v2:${keyOf(item)}`).toString('base64')
  refuseBounds(args, info)
  const place = (cursor: string) => {
    const at = items.findIndex((item) => cursorOf(item) === cursor)
    if (at >= 0) return at
    const message = `\`${cursor}\` does not appear to be a valid cursor.`
    throw problem('INVALID_CURSOR_ARGUMENTS', message)
  }
  const start = args.after ? place(args.after) + 1 : 0
  const end = args.before ? place(args.before) : items.length
  const to = first == null ? end : Math.min(end, start + first)
  const from = last == null ? start : Math.max(start, to - last)
  const shown = items.slice(from, to)
  const [head, tail] = [shown[0], shown.at(-1)]
  return {
    totalCount: items.length,
    nodes: shown.map(nodeOf),
    edges: shown.map((item) => ({ cursor: cursorOf(item), node: nodeOf(item) })),
    pageInfo: {
      hasNextPage: to < end,
      hasPreviousPage: from > 0,
      startCursor: head === undefined ? null : cursorOf(head),
      endCursor: tail === undefined ? null : cursorOf(tail),
    },
  }
}

/** Counting needs no page: `issues { totalCount }` is accepted as it is. */
function refuseBounds({ first, last }: PageArgs, info: GraphQLResolveInfo): void {
  const { fieldName } = info
  const paged = info.fieldNodes.some((node) => selects(node, info, ['nodes', 'edges']))
  if (first == null && last == null && paged) {
    throw problem(
      'MISSING_PAGINATION_BOUNDARIES',
      `You must provide a \`first\` or \`last\` value to properly paginate the \`${fieldName}\` connection.`,
    )
  }
  for (const [name, value] of Object.entries({ first, last })) {
    if (value == null) continue
    if (value < 0) {
      throw problem(
        'INVALID_CURSOR_ARGUMENTS',
        `\`${name}\` on the \`${fieldName}\` connection cannot be less than zero.`,
      )
    }
    if (value > 100) {
      throw problem(
        'EXCESSIVE_PAGINATION',
        `Requesting ${value} records on the \`${fieldName}\` connection exceeds the \`${name}\` limit of 100 records.`,
      )
    }
  }
}

function selects(node: FieldNode, info: GraphQLResolveInfo, names: readonly string[]): boolean {
  const look = (selections: readonly SelectionNode[]): boolean =>
    selections.some((selection) => {
      if (selection.kind === 'Field') return names.includes(selection.name.value)
      if (selection.kind === 'InlineFragment') return look(selection.selectionSet.selections)
      const fragment = info.fragments[selection.name.value]
      return fragment !== undefined && look(fragment.selectionSet.selections)
    })
  return node.selectionSet !== undefined && look(node.selectionSet.selections)
}
