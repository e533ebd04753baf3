import { readFileSync } from 'node:fs'
import { createRequire, findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import type * as GraphQL from 'graphql'

export interface Library {
  graphql: typeof GraphQL
  schema: GraphQL.GraphQLSchema
}

let library: Library | undefined

/**
 * graphql-js and GitHub's own schema (`@octokit/graphql-schema`): a quarter of a second, paid once a process
 * and only by those who ask a query.
 */
export function loadLibrary(): Library {
  if (library) return library
  const graphql = createRequire(import.meta.url)('graphql') as typeof GraphQL
  const manifest = findPackageJSON('@octokit/graphql-schema', import.meta.url)
  const text = readFileSync(join(dirname(manifest ?? ''), 'schema.graphql'), 'utf8')
  const document = graphql.parse(text, { noLocation: true })
  const schema = graphql.buildASTSchema(document, { assumeValid: true, assumeValidSDL: true })
  library = { graphql, schema }
  return library
}
