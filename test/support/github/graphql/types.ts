import type { GraphQLResolveInfo } from 'graphql'
import type { Ask, Repository } from '../types.ts'

/** One query while it is answered. */
export interface GraphContext {
  ask: Ask
  /** Flat list of names and values that the answer gets. */
  headers: string[]
  /** Points that the query takes, and nodes that it may come to. */
  cost: number
  nodeCount: number
}

type Resolver = (
  source: never,
  args: never,
  context: GraphContext,
  info: GraphQLResolveInfo,
) => unknown

/**
 * By type and field, as in GitHub's schema. A field without a resolver is read from the source itself; where
 * it is not there either, the simulator says so (501), so that nothing passes for `null` that was never made.
 */
export type Resolvers = Readonly<Record<string, Readonly<Record<string, Resolver>>>>

/** A thing of the world that resolvers know how to read. The name tells interfaces and unions apart. */
export interface Of<T> {
  __typename: string
  of: T
}

/** Something inside a repository, where only the repository says what it is called. */
export interface In<T> extends Of<T> {
  repository: Repository
}
