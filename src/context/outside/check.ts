import type { TObject, TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { nearest } from '../../core/nearest.ts'
import type { Provider } from '../../core/provider.ts'
import { blockFields } from '../../core/schemas.ts'
import { requestOptions } from '../request/contract.ts'
import { isName, isRecord, MEMBER_NAMES, memberFaults, NAME_FORM } from './members.ts'

/** Names of paths and tools that are no context types. */
const RESERVED = [
  'batch',
  'github_add_comment',
  'github_context',
  'github_create_issue',
  'github_list_issues',
]

/**
 * What of a provider breaks the contract, one line for each fault; none for a sound one.
 * @param others that are offered beside it
 */
export function contractFaults(candidate: unknown, others: readonly Provider[]): string[] {
  if (!isRecord(candidate)) return [`is ${kindOf(candidate)}, not a provider`]
  const faults = [...memberFaults(candidate), ...strangers(candidate)]
  if (faults.length > 0) return faults
  const provider = candidate as unknown as Provider
  return [
    ...clashes(provider, others),
    ...paramFaults(provider),
    ...exampleFaults(provider),
    ...uriFaults(provider),
    ...blockFaults(provider),
    ...tagFaults(provider),
  ]
}

export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

function strangers(candidate: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(candidate)
    .filter((key) => !MEMBER_NAMES.includes(key))
    .map((key) => {
      const suggestion = nearest(key, MEMBER_NAMES)
      return `${key} is no part of a provider${suggestion ? `; did you mean ${suggestion}?` : ''}`
    })
}

/** Names that one service can have only once. */
function clashes(provider: Provider, others: readonly Provider[]): string[] {
  const { type, uri } = provider
  const types = new Set(others.map((other) => other.type))
  const blocks = new Set(others.flatMap(blockTypes))
  const uris = new Set(others.map((other) => anonymous(other.uri)))
  // In the OpenAPI document a type and a block stand side by side, the block with this ending.
  const ids = new Set([...types, ...[...blocks].map(blockId)])
  return [
    ...(types.has(type) ? [`type ${type} is taken: choose another name`] : []),
    ...(RESERVED.includes(type) || (!types.has(type) && ids.has(type))
      ? [`type ${type} is reserved: choose another name`]
      : []),
    ...blockTypes(provider)
      .filter((block) => blocks.has(block) || ids.has(blockId(block)))
      .map((block) => `blockType ${block} is taken: choose another name`),
    ...(uris.has(anonymous(uri)) ? [`uri ${uri} is that of another type`] : []),
  ]
}

const blockTypes = ({ alsoBlocks = {}, blockType }: Provider) => [
  blockType,
  ...Object.keys(alsoBlocks),
]
const blockId = (block: string) => `${block}_block`
const anonymous = (uri: string) => uri.replaceAll(/\{(\+?)\w+\}/g, '{$1}')

function paramFaults({ data, filtered, params }: Provider): string[] {
  const required = params.required ?? []
  const lacking = ['owner', 'repo'].filter((name) => !required.includes(name))
  return [
    ...(params.additionalProperties === false
      ? []
      : ['params must refuse what they do not know: { additionalProperties: false }']),
    ...Object.entries(params.properties).flatMap(([name, schema]) =>
      paramFault(name, schema, required.includes(name)).map((fault) => `params.${name} ${fault}`),
    ),
    ...(data === 'own' || filtered || lacking.length === 0
      ? []
      : [
          `params must require ${lacking.join(' and ')}, by which ALLOWED_REPOS is heeded; else say data: 'own', or filtered: true`,
        ]),
  ]
}

function paramFault(name: string, schema: TSchema, required: boolean): string[] {
  if (!isName(name)) return [NAME_FORM]
  if (TAKEN.has(name)) return ['has the name of an option of every request']
  if (!isFlat(schema)) {
    return ['must be a string, an integer, a boolean, a choice of strings or an array of strings']
  }
  const { anyOf, default: value, description } = schema
  const compiled = compile(schema)
  if (typeof compiled === 'string') return [compiled]
  return [
    ...(typeof description === 'string' || anyOf ? [] : ['must have a description']),
    ...(isBounded(schema) ? [] : ['must be bounded: pattern, maxLength, maxItems, or a range']),
    ...(value !== undefined && required ? ['has a default, so it must be Type.Optional'] : []),
    ...(value === undefined || compiled.Check(value) ? [] : ['has a default that is not valid']),
  ]
}

/** A `since` of a list is told apart by its form. */
const TAKEN = new Set(Object.keys(requestOptions).filter((name) => name !== 'since'))

/** What a query string and a model can write. */
function isFlat({ anyOf, const: value, items, type }: TSchema): boolean {
  if (type === 'array') return items?.type === 'string' || isChoice(items?.anyOf)
  return ['string', 'integer', 'boolean'].includes(type) || value !== undefined || isChoice(anyOf)
}

const isChoice = (members: unknown) =>
  Array.isArray(members) && members.every(({ const: value }) => typeof value === 'string')

function isBounded({ anyOf, const: value, ...schema }: TSchema): boolean {
  if (schema.type === 'integer') return schema.minimum !== undefined && schema.maximum !== undefined
  if (schema.type === 'array') return schema.maxItems !== undefined
  if (schema.type === 'boolean' || anyOf || value !== undefined) return true
  return [schema.pattern, schema.maxLength, schema.enum].some((bound) => bound !== undefined)
}

function exampleFaults({ example, params }: Provider): string[] {
  const compiled = compile(params)
  if (typeof compiled === 'string') return [`params ${compiled}`]
  const first = compiled.Errors(example).First()
  if (!first) return []
  return [`example is not valid: ${first.path || 'it'}: ${first.message.toLowerCase()}`]
}

function compile(schema: TSchema) {
  try {
    return TypeCompiler.Compile(schema)
  } catch (error) {
    return `cannot be compiled: ${lineOf(error)}`
  }
}

function uriFaults({ data, filtered, params, uri }: Provider): string[] {
  const places = [...uri.matchAll(/\{\+?(\w+)\}/g)].map(([, name = '']) => name)
  const unknown = places.filter((name) => !Object.hasOwn(params.properties, name))
  const lacking = (params.required ?? []).filter((name) => !places.includes(name))
  const ofRepository = data === 'own' || filtered || uri.startsWith('github://{owner}/{repo}')
  return [
    ...unknown.map((name) => `uri has a place {${name}} for which there is no param`),
    ...lacking.map((name) => `uri lacks a place for the required param {${name}}`),
    ...(new Set(places).size === places.length ? [] : ['uri has a place twice']),
    ...(ofRepository ? [] : ['uri must begin with github://{owner}/{repo}']),
  ]
}

function blockFaults({ alsoBlocks = {}, block, blockType }: Provider): string[] {
  return Object.entries({ [blockType]: block, ...alsoBlocks }).flatMap(([name, schema]) => {
    const lacking = FIELDS.filter((field) => !(field in (schema as TObject).properties))
    const compiled = compile(schema)
    return [
      ...(lacking.length === 0
        ? []
        : [`block ${name} lacks ${lacking.join(', ')}: begin it with ...blockFields`]),
      ...(typeof compiled === 'string' ? [`block ${name} ${compiled}`] : []),
      ...(refersElsewhere(schema) ? [`block ${name} must not have $id or $ref`] : []),
    ]
  })
}

const FIELDS = Object.keys(blockFields).filter((field) => field !== 'removed')

function refersElsewhere(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  return '$id' in schema || '$ref' in schema || Object.values(schema).some(refersElsewhere)
}

function tagFaults(provider: Provider): string[] {
  try {
    const tags: unknown = provider.tags(provider.example as never)
    const areNames = Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')
    return areNames ? [] : ['tags must answer an array of strings']
  } catch (error) {
    return [`tags throws for the example: ${lineOf(error)}`]
  }
}

/** What an error says, on one line. */
export function lineOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replaceAll(/\s+/g, ' ').trim().slice(0, 300)
}
