/** What may be null, by GitHub's own descriptions of its two interfaces. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GraphQLOutputType } from 'graphql'
import type { Alter } from './altered.ts'
import { loadLibrary } from './github/graphql/library.ts'

interface Schema {
  readonly $ref?: string
  readonly nullable?: boolean
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
}
interface Description {
  readonly paths: Readonly<Record<string, { get?: { responses: Record<string, Response> } }>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}
interface Response {
  readonly content?: { readonly 'application/json'?: { readonly schema: Schema } }
}

const FILE = '../../node_modules/@octokit/openapi/generated/api.github.com.json'

/** Alters answers so that all is null that may be. */
export function createNuller(): Alter {
  const { components, paths }: Description = JSON.parse(
    readFileSync(join(import.meta.dirname, FILE), 'utf8'),
  )
  const routes = Object.entries(paths).flatMap(([template, { get }]) => {
    const schema = get?.responses['200']?.content?.['application/json']?.schema
    if (!schema) return []
    const pattern = template.replaceAll(/\{(\w+)\}/g, (_, name) =>
      name === 'path' || name === 'ref' || name === 'basehead' ? '.+' : '[^/]+',
    )
    return [{ pattern: new RegExp(`^${pattern}$`), schema, names: template.split('{').length }]
  })

  const resolve = (schema: Schema): Schema =>
    schema.$ref ? resolve(components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}) : schema

  function nulled(given: Schema, value: unknown): unknown {
    const schema = resolve(given)
    if (schema.nullable || given.nullable) return null
    const choices = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]
    if (Array.isArray(value)) {
      const items = [schema, ...choices.map(resolve)].find((one) => one.items)?.items
      return items ? value.map((one) => nulled(items, one)) : value
    }
    if (typeof value !== 'object' || value === null) return value
    const properties = Object.assign(
      {},
      ...[schema, ...choices.map(resolve)].map((one) => one.properties ?? {}),
    ) as Readonly<Record<string, Schema>>
    const entries = Object.entries(value).map(([name, own]) => {
      const property = properties[name]
      return [name, property ? nulled(property, own) : own]
    })
    return Object.fromEntries(entries)
  }

  return ({ path, query }, body) => {
    if (query !== undefined) return nulledGraph(query, body)
    // The most exact: `/issues/comments/{id}` rather than `/issues/{number}/comments`.
    const [route] = routes
      .filter(({ pattern }) => pattern.test(path))
      .toSorted((left, right) => left.names - right.names)
    return route ? nulled(route.schema, body) : body
  }
}

/** Of GraphQL what is not the thing itself, nor a list: those are never null where there is no error. */
function nulledGraph(query: string, body: unknown): unknown {
  const { graphql, schema } = loadLibrary()
  const info = new graphql.TypeInfo(schema)
  const nullable = new Set<string>()
  const path: string[] = []
  graphql.visit(
    graphql.parse(query),
    graphql.visitWithTypeInfo(info, {
      Field: {
        enter(node) {
          path.push((node.alias ?? node.name).value)
          const type = info.getType() as GraphQLOutputType
          const isPlace = path.length <= 2 || ['node', 'nodes', 'edges'].includes(path.at(-1) ?? '')
          const isList = /Connection$|^\[/.test(String(graphql.getNullableType(type)))
          if (!graphql.isNonNullType(type) && !isPlace && !isList) nullable.add(path.join('.'))
        },
        leave() {
          path.pop()
        },
      },
    }),
  )
  const walk = (value: unknown, at: string): unknown => {
    if (Array.isArray(value)) return value.map((one) => walk(one, at))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([name, own]) => {
      const place = at === '' ? name : `${at}.${name}`
      return [name, nullable.has(place) ? null : walk(own, place)]
    })
    return Object.fromEntries(entries)
  }
  const { data, ...rest } = body as { data?: unknown }
  return { ...rest, data: walk(data, '') }
}
