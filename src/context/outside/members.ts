import { TypeGuard } from '@sinclair/typebox'
import type { Provider } from '../../core/provider.ts'

interface Rule {
  readonly must: string
  readonly holds: (value: unknown) => boolean
  readonly optional?: true
}

const isFunction = (value: unknown) => typeof value === 'function'
const isLine = (least: number, most: number) => (value: unknown) =>
  typeof value === 'string' &&
  value.trim().length >= least &&
  value.length <= most &&
  !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value)

/** A name that can stand in addresses, metrics, identifiers and tools alike. */
export const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 60 && /^[a-z]+(?:_[a-z]+)*$/.test(value)
export const NAME_FORM =
  'must be a name in snake case: small letters with single underscores between them, at most 60'

const name: Rule = { must: NAME_FORM, holds: isName }
const method: Rule = { must: 'must be a function', holds: isFunction }

/** What a provider is made of, each with the words for what it is not. */
const MEMBERS: Readonly<Record<string, Rule>> = {
  type: name,
  blockType: name,
  title: { must: 'must be one line of 3 to 60 characters', holds: isLine(3, 60) },
  description: { must: 'must be one line of 20 to 300 characters', holds: isLine(20, 300) },
  uri: {
    must: 'must be a template such as jira://{site}/issues/{key}, with {+name} only as its last segment',
    holds: isTemplate,
  },
  pages: {
    must: 'must be templates of the same form as uri, each with a query or fragment at most, such as jira://{site}/search?q={text}, or { uri, params } with what such a page says in other words',
    holds: (value) => Array.isArray(value) && value.every(isPage),
    optional: true,
  },
  params: { must: 'must be a TypeBox object: Type.Object({ … })', holds: TypeGuard.IsObject },
  block: { must: 'must be a TypeBox object: Type.Object({ … })', holds: TypeGuard.IsObject },
  alsoBlocks: {
    must: 'must hold TypeBox objects by names in snake case',
    holds: (value) =>
      isRecord(value) &&
      Object.entries(value).every(([key, schema]) => isName(key) && TypeGuard.IsObject(schema)),
    optional: true,
  },
  example: { must: 'must be the params of a request that works', holds: isRecord },
  defaultsWithQuery: {
    must: 'must hold whole numbers or lists of strings by names of params',
    holds: (value) => isRecord(value) && Object.values(value).every(isDefault),
    optional: true,
  },
  cache: {
    must: 'must be { freshFor, staleFor, keepFor } in seconds, with freshFor + staleFor ≤ keepFor ≤ 86400',
    holds: isPolicy,
  },
  data: {
    must: "must be 'github' or 'own'",
    holds: (value) => value === 'github' || value === 'own',
    optional: true,
  },
  filtered: {
    must: 'must be true or false',
    holds: (value) => typeof value === 'boolean',
    optional: true,
  },
  account: { ...method, optional: true },
  version: { ...method, optional: true },
  tags: method,
  fetch: method,
}

export const MEMBER_NAMES: readonly string[] = Object.keys(MEMBERS)

/** The members as they are now, of an object or of an instance. */
export function membersOf(provider: Provider): Provider {
  const members = MEMBER_NAMES.map((name) => [name, provider[name as keyof Provider]] as const)
  const present = members.filter(([, value]) => value !== undefined)
  return Object.fromEntries(present) as unknown as Provider
}

/** What of a provider is missing or is not what it must be. */
export function memberFaults(provider: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(MEMBERS).flatMap(([key, { holds, must, optional }]) => {
    const value = provider[key]
    if (value === undefined) return optional ? [] : [`${key} is missing: it ${must}`]
    return holds(value) ? [] : [`${key} ${must}`]
  })
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDefault(value: unknown): boolean {
  return Array.isArray(value)
    ? value.every((one) => typeof one === 'string')
    : Number.isInteger(value)
}

function isTemplate(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > 200) return false
  return /^[a-z][a-z0-9+.-]*:\/\/(?:[\w.~/-]|\{\w+\})+(?<=[^/])(?:\/\{\+\w+\})?$/.test(value)
}

function isPage(value: unknown): boolean {
  if (typeof value === 'string') {
    const more =
      /(?:\?[\w-]+=(?:[\w-]|\{\w+\})+(?:&[\w-]+=(?:[\w-]|\{\w+\})+)*)?(?:#(?:[\w-]|\{\w+\})+)?$/
    return value.length <= 200 && isTemplate(value.replace(more, ''))
  }
  return (
    isRecord(value) &&
    typeof value.uri === 'string' &&
    isPage(value.uri) &&
    isRecord(value.params) &&
    Object.values(value.params).every((param) => typeof param === 'string')
  )
}

/** Whether the policy can be kept to. */
export function isPolicy(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { freshFor, staleFor, keepFor } = value
  const areTimes = [freshFor, staleFor, keepFor].every(
    (time) => Number.isFinite(time) && Number(time) >= 0,
  )
  return (
    areTimes && Number(freshFor) + Number(staleFor) <= Number(keepFor) && Number(keepFor) <= DAY
  )
}

const DAY = 86_400
