import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { invalid, ServiceError } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import type { Provider } from '../../core/provider.ts'
import type { Trust } from '../../core/trust.ts'
import { type Contract, type Contracts, requestOptions } from './contract.ts'
import { faulty } from './faults.ts'

/** A valid request in canonical form: equal requests have equal keys. */
export interface ContextRequest {
  readonly provider: Provider
  readonly params: Readonly<Record<string, unknown>>
  readonly maxTokens: number | undefined
  readonly query: string | undefined
  /** Texts of less trusted authors are left out. */
  readonly minTrust: Trust | undefined
  /** Seconds. */
  readonly maxAge: number | undefined
  /** The answer that the caller has: only what is new since then is told. */
  readonly since: string | undefined
  /** Names the answer: type, params and budget, but not `max_age`, which only says how old it may be. */
  readonly key: string
  /** Names what is asked for: `key` without the budget. */
  readonly subject: string
  /** The key among everybody's, of who asked last: callers ask the same again and again. */
  lastKey?: FullKey
}

export interface FullKey {
  /** Whose answers it is among. */
  readonly within: string
  /** Of the request that it was made for, of which this may be a copy. */
  readonly of: string
  readonly key: string
}

const Envelope = Type.Object(
  {
    context_type: Type.String({ description: 'GET /mcp/context-types lists them' }),
    params: Type.Optional(Type.Object({})),
    ...requestOptions,
  },
  { additionalProperties: false },
)
type Envelope = Static<typeof Envelope>
const envelope = TypeCompiler.Compile(Envelope)

/** GitHub's names of accounts and repositories do not differ by case. */
const CASELESS = new Set(['owner', 'repo', 'login'])

/**
 * Reads the JSON form of a request.
 * @throws ServiceError `invalid_request`, `unknown_context_type`
 */
export function parseRequest(contracts: Contracts, input: unknown): ContextRequest {
  const options = coerceFields(Envelope.properties, input)
  if (!envelope.Check(options)) throw faulty(envelope, Envelope, options, '', 'the request')
  const contract = contractOf(contracts, options.context_type)
  const params = canonical(contract, options)
  return {
    provider: contract.provider,
    params,
    maxTokens: options.max_tokens,
    query: options.query,
    minTrust: options.min_trust === 'stranger' ? undefined : options.min_trust,
    maxAge: options.max_age,
    since: options.since,
    key: keyOf(contract.provider.type, params, options),
    subject: `${contract.provider.type}?${JSON.stringify(params)}`,
  }
}

/** The contract of a type. @throws ServiceError `unknown_context_type`, with the nearest valid one */
export function contractOf(contracts: Contracts, type: string): Contract {
  const contract = contracts.get(type)
  if (contract) return contract
  const suggestion = nearest(type, [...contracts.keys()])
  const message = suggestion ? `Did you mean "${suggestion}"?` : 'No such type.'
  throw new ServiceError(
    'unknown_context_type',
    `Unknown context type ${quote(type)}. ${message} GET /mcp/context-types lists them all.`,
    { errors: [{ pointer: '/context_type', message }] },
  )
}

function canonical(
  { provider, check, names }: Contract,
  { max_tokens, params: input = {}, query }: Envelope,
): Record<string, unknown> {
  const given = coerceFields(provider.params.properties, input)
  if (!check.Check(given)) throw faulty(check, provider.params, given, '/params', provider.type)
  const defaults = max_tokens && query ? provider.defaultsWithQuery : undefined
  const params: Record<string, unknown> = {}
  for (const name of names) {
    const value =
      (given as Record<string, unknown>)[name] ??
      defaults?.[name] ??
      provider.params.properties[name]?.default
    if (value === undefined) continue
    mustBeWellFormed(`/params/${name}`, value)
    params[name] = inOneForm(name, value, provider.params.properties[name])
  }
  return params
}

/** JSON can hold halves of characters (RFC 8259, section 8.2), addresses cannot. @throws ServiceError `invalid_request` */
function mustBeWellFormed(pointer: string, value: unknown): void {
  if (Array.isArray(value)) {
    for (const [index, one] of value.entries()) mustBeWellFormed(`${pointer}/${index}`, one)
  } else if (typeof value === 'string' && !value.isWellFormed()) {
    throw invalid(pointer, 'has half of a surrogate pair, which is no character. Send whole ones')
  }
}

/** What means the same is written the same: names without case, sets in order. */
function inOneForm(name: string, value: unknown, schema: TSchema | undefined): unknown {
  if (CASELESS.has(name)) return String(value).toLowerCase()
  return schema?.uniqueItems && Array.isArray(value) ? value.toSorted() : value
}

/** Callers send numbers as numeric strings; the schema says where a number is meant. */
function coerceFields(properties: Readonly<Record<string, TSchema>>, input: unknown): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input
  let copy: Record<string, unknown> | undefined
  for (const [name, value] of Object.entries(input)) {
    if (
      typeof value !== 'string' ||
      properties[name]?.type !== 'integer' ||
      !/^-?\d{1,15}$/.test(value)
    )
      continue
    copy ??= { ...input }
    copy[name] = Number(value)
  }
  return copy ?? input
}

function keyOf(
  type: string,
  params: object,
  { max_tokens, query, min_trust = 'stranger' }: Envelope,
): string {
  // Without a budget nothing is chosen, so the query changes nothing.
  return `${type}?${JSON.stringify([params, max_tokens, max_tokens && query, min_trust])}`
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
