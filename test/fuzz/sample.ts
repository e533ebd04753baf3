import type { Random } from './random.ts'

/** As much of JSON Schema as the document uses. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly examples?: readonly unknown[]
}

export interface Sampling {
  readonly random: Random
  /** The schema that a `$ref` names. */
  readonly resolve: (ref: string) => Schema
}

/** Values by the name of what they are for, so that some requests find something. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  owner: ['octocat', 'OCTOCAT', 'octokit-fixture-org', 'nobody-here'],
  repo: ['Hello-World', 'hello-world', 'Spoon-Knife', 'nothing.here'],
  repo_owner: ['octocat', 'nobody-here'],
  repo_name: ['Hello-World', 'Spoon-Knife'],
  login: ['octocat', 'ghost', 'dependabot[bot]'],
  author: ['octocat', 'dependabot[bot]'],
  path: ['README', 'src/main.ts', 'a b/ç.md', '💥'],
  ref: ['main', 'master', 'v1.0.0', 'feature/ü'],
  base: ['master', 'main'],
  head: ['octocat:main', 'test'],
  sha: ['7fd1a60b01f91b314f59955a4e4d4e80d8edf11d', 'master'],
  url: [
    'https://github.com/octocat/Hello-World',
    'https://github.com/octocat/Hello-World/issues/1347',
    'https://github.com/octocat',
    'https://evil.example/octocat/Hello-World',
  ],
  q: ['octocat in:login', 'bug repo:octocat/Hello-World', 'is:open'],
  since: ['2020-01-01T00:00:00Z', 'mcp-github_issue-0123456789abcdef0123456789abcdef'],
}
const NUMBERS = [1, 2, 1347, 30, 100, 4000]
/** Tried where a pattern asks for something in particular. */
const ATTEMPTS = ['1', 'a', '1-3', 'stats', 'octocat/Hello-World', '2020-01-01T00:00:00Z', 'a:b']
const WORDS = ['login', 'fails', 'ünïcödé', '日本語', 'x', 'a longer piece of text', '🙂']

/** A value that fits the schema, or nearly: what a pattern means is not worked out. */
export function sample(schema: Schema, sampling: Sampling, name = ''): unknown {
  const { random, resolve } = sampling
  if (schema.$ref !== undefined) return sample(resolve(schema.$ref), sampling, name)
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return random.pick(schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return sample(random.pick(choices), sampling, name)
  switch (schema.type) {
    case 'object':
      return sampleObject(schema, sampling)
    case 'array':
      return sampleArray(schema, sampling, name)
    case 'integer':
    case 'number':
      return sampleNumber(schema, random)
    case 'boolean':
      return random.chance(0.5)
    case 'null':
      return null
    case 'string':
      return sampleText(schema, random, name)
    default:
      return random.pick(['text', 1, { a: 1 }])
  }
}

function sampleObject({ properties = {}, required = [] }: Schema, sampling: Sampling) {
  const { random } = sampling
  const names = Object.keys(properties).filter(
    (name) => required.includes(name) || random.chance(0.3),
  )
  return Object.fromEntries(
    names.map((name) => [name, sample(properties[name] ?? {}, sampling, name)]),
  )
}

function sampleArray(schema: Schema, sampling: Sampling, name: string): unknown[] {
  const { items = {}, maxItems = 10, minItems = 0, uniqueItems } = schema
  const length = Math.min(maxItems, minItems + sampling.random.int(3))
  const values = Array.from({ length }, () => sample(items, sampling, name))
  return uniqueItems ? [...new Set(values)] : values
}

function sampleNumber({ minimum = 0, maximum = 1_000_000, type }: Schema, random: Random): number {
  const fitting = NUMBERS.filter((value) => value >= minimum && value <= maximum)
  if (random.chance(0.2) || fitting.length === 0) return random.pick([minimum, maximum])
  return type === 'number' && random.chance(0.3) ? minimum + 0.5 : random.pick(fitting)
}

function sampleText(schema: Schema, random: Random, name: string): string {
  const { examples = [], maxLength = 1_000, minLength = 0, pattern } = schema
  const known = [...(KNOWN[name] ?? []), ...examples.filter((one) => typeof one === 'string')]
  const form = pattern === undefined ? undefined : new RegExp(pattern, 'u')
  const fits = (text: string) =>
    text.length >= minLength && text.length <= maxLength && (form?.test(text) ?? true)
  const fitting = [...known, ...(form ? ATTEMPTS : WORDS)].filter(fits)
  return fitting.length > 0 ? random.pick(fitting) : 'a'.repeat(Math.max(1, minLength))
}
