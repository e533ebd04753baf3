import { signature } from '../support/webhooks.ts'
import { ODD_HEADERS, ODD_TYPES, oddBody, oddText, spoil } from './hostile.ts'
import type { Random } from './random.ts'
import { type Sampling, type Schema, sample } from './sample.ts'

export interface Operation {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: Schema } & Examples>>
  }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >
}
interface Examples {
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}
interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: Schema
  readonly example?: unknown
}
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

export type Sort = 'valid' | 'near' | 'hostile'

export interface FuzzRequest {
  readonly sort: Sort
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body?: string | Buffer
  /** What it is meant for; undefined where nothing is at that address. */
  readonly operation: Operation | undefined
}

export interface Making {
  readonly document: Document
  readonly random: Random
  /** Sessions that are there. */
  readonly sessions: readonly string[]
  /** Of a key that is known. */
  readonly authorization: string
  readonly webhookSecret: string
}

interface Target {
  readonly path: string
  readonly method: string
  readonly operation: Operation
}

/** Makes one request after the other, of every operation of the document. */
export function createRequests(making: Making): (sort: Sort) => FuzzRequest {
  const { document, random } = making
  const resolve = (ref: string) => document.components.schemas[ref.split('/').at(-1) ?? ''] ?? {}
  const sampling: Sampling = { random, resolve }
  const targets: Target[] = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  // Most that can go wrong is in bodies.
  const withBodies = targets.filter(({ operation }) => operation.requestBody)
  return (sort) => {
    const target = random.pick(random.chance(0.5) ? withBodies : targets)
    return makeRequest(making, sampling, target, sort)
  }
}

function makeRequest(
  making: Making,
  sampling: Sampling,
  { method, operation, path }: Target,
  sort: Sort,
): FuzzRequest {
  const { random } = making
  const value = bodyOf(operation, sampling)
  const spoils = value !== undefined && sort !== 'valid' && random.chance(0.7)
  const good = JSON.stringify(spoils ? spoil(value, random) : value)
  const body = sort === 'hostile' && random.chance(0.4) ? oddBody(good ?? '{}', random) : good
  const query = queryOf(operation, sampling, sort)
  const place = pathOf(path, making, sort)
  const methods = ['put', 'patch', 'delete', 'get', 'post', 'options']
  const used = sort === 'hostile' && random.chance(0.1) ? random.pick(methods) : method
  return {
    sort,
    method: used.toUpperCase(),
    url: query === '' ? place : `${place}?${query}`,
    headers: {
      ...(path.startsWith('/webhooks/') ? deliveryHeaders(making, body ?? '') : {}),
      ...headersOf(making, body !== undefined, sort),
    },
    ...(body === undefined ? {} : { body }),
    operation: isAt(path, place) ? making.document.paths[path]?.[used] : undefined,
  }
}

/** Whether the address still is one of the operation's: each name filled with one segment that is not empty. */
function isAt(template: string, place: string): boolean {
  const form = template.replaceAll(/\{\w+\}/g, '[^/?#]+')
  return new RegExp(`^${form}$`).test(place)
}

/** An example of the document's, or whatever the schema allows. */
function bodyOf({ requestBody }: Operation, sampling: Sampling): unknown {
  const [content] = Object.values(requestBody?.content ?? {})
  if (!content) return undefined
  const examples = Object.values(content.examples ?? {})
  if (examples.length > 0 && sampling.random.chance(0.3))
    return sampling.random.pick(examples).value
  return sample(content.schema, sampling)
}

function queryOf({ parameters = [] }: Operation, sampling: Sampling, sort: Sort): string {
  const { random } = sampling
  const query = new URLSearchParams()
  for (const { example, in: where, name, required, schema } of parameters) {
    if (where !== 'query' || !(required || random.chance(0.25))) continue
    if (sort !== 'valid' && random.chance(0.15)) continue
    const useExample = example !== undefined && random.chance(0.5)
    const value = useExample ? example : sample(schema, sampling, name)
    const odd = sort !== 'valid' && random.chance(0.25)
    for (const one of Array.isArray(value) ? value : [value])
      query.append(name, odd ? oddText(random).slice(0, 2_000) : String(one))
    if (sort === 'hostile' && random.chance(0.1)) query.append(name, 'again')
  }
  if (sort === 'near' && random.chance(0.2)) query.append('unknown', '1')
  const text = query.toString()
  return sort === 'hostile' && random.chance(0.2) ? `${text}&${oddQuery(random)}` : text
}

const oddQuery = (random: Random) =>
  random.pick(['%', '%zz=1', '__proto__=1', '&&&==', 'a[b][c]=1', 'owner[]=x', '%00=%00', '?x=1'])

function pathOf(template: string, { random, sessions }: Making, sort: Sort): string {
  const odd = sort === 'hostile' && random.chance(0.3)
  const id = () =>
    odd ? encodeURIComponent(oddText(random).toWellFormed()).slice(0, 1_000) : random.pick(sessions)
  const path = template.replaceAll(/\{\w+\}/g, id)
  if (sort !== 'hostile' || random.chance(0.9)) return path
  return random.pick([
    `${path}/`,
    `/${path}`,
    `${path}/../..`,
    `${path}%`,
    `${path}%2e%2e%2f`,
    path.toUpperCase(),
    `${path};a=b`,
    '/%c0%ae%c0%ae/',
    '/docs/static/../../../../package.json',
    '/docs/%2e%2e%2f%2e%2e%2fpackage.json',
    `/${'a'.repeat(3_000)}`,
  ])
}

/** Of a delivery that is signed as it should be, most of the time. */
function deliveryHeaders({ random, webhookSecret }: Making, body: string | Buffer) {
  const secret = random.chance(0.8) ? webhookSecret : 'another'
  return {
    'x-github-event': random.pick(['issues', 'push', 'member', 'ping', 'constructor']),
    'x-github-delivery': `${random.int(1e9)}-${random.int(1e9)}`,
    'x-hub-signature-256': signature(secret, body.toString()),
  }
}

function headersOf(
  { authorization, random }: Making,
  withBody: boolean,
  sort: Sort,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { authorization }
  if (withBody) headers['content-type'] = 'application/json'
  if (random.chance(0.2))
    headers.accept = random.pick(['text/markdown', 'text/event-stream', 'application/json', '*/*'])
  if (sort !== 'hostile') return headers
  if (withBody && random.chance(0.2)) headers['content-type'] = random.pick(ODD_TYPES)
  if (random.chance(0.4)) {
    const [name, value] = random.pick(ODD_HEADERS)
    headers[name] = value
  }
  return headers
}
