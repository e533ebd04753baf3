import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionSetNode,
  ValueNode,
} from 'graphql'

export interface Load {
  /** Nodes that the query may come to; GitHub refuses more than 500,000. */
  nodes: number
  /** Points of the hourly budget. */
  cost: number
}

/**
 * What a query may come to, by the arithmetic of docs.github.com/graphql/overview/rate-limits-and-query-limits:
 * every connection is taken to be as full as its page; a point is a hundred requests for pages.
 */
export function loadOf(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): Load {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === 'FragmentDefinition') fragments.set(definition.name.value, definition)
  }
  let nodes = 0
  let requests = 0
  const walk = (set: SelectionSetNode | undefined, times: number): void => {
    for (const selection of set?.selections ?? []) {
      if (selection.kind === 'FragmentSpread') {
        walk(fragments.get(selection.name.value)?.selectionSet, times)
      } else if (selection.kind === 'InlineFragment') {
        walk(selection.selectionSet, times)
      } else {
        const size = pageOf(selection, variables)
        if (size !== undefined) {
          requests += times
          nodes += times * size
        }
        walk(selection.selectionSet, times * (size ?? 1))
      }
    }
  }
  walk(operation.selectionSet, 1)
  return { nodes, cost: Math.max(1, Math.round(requests / 100)) }
}

function pageOf(
  { arguments: given = [] }: FieldNode,
  variables: Readonly<Record<string, unknown>>,
): number | undefined {
  const argument = given.find(({ name }) => name.value === 'first' || name.value === 'last')
  return argument && numberOf(argument.value, variables)
}

function numberOf(
  value: ValueNode,
  variables: Readonly<Record<string, unknown>>,
): number | undefined {
  const number = value.kind === 'Variable' ? variables[value.name.value] : undefined
  if (value.kind === 'IntValue') return Number(value.value)
  return typeof number === 'number' ? number : undefined
}
