import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import type { Static, TObject, TSchema } from '@sinclair/typebox'
import envSchema from 'env-schema'

export type Variables = Readonly<Record<string, string | undefined>>

/** The start cannot go on; `faults` has one line for each variable that is wrong, never its value. */
export class ConfigError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/**
 * The variables that are set: those of `.env` in the working folder, except in production, under
 * those of the environment. An empty variable is as good as none.
 */
export function collectVariables(environment: Variables): Variables {
  const file = environment.NODE_ENV === 'production' ? {} : readDotenv()
  const set = (variables: Variables) => Object.entries(variables).filter(([, value]) => value)
  return Object.fromEntries([...set(file), ...set(environment)])
}

function readDotenv(): Variables {
  try {
    return parseEnv(readFileSync(resolve('.env'), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

export interface Validated<T> {
  /** Undefined where there are faults. */
  readonly values: T | undefined
  readonly faults: readonly string[]
}

/** Values of the types that the schema names, or what is wrong with which variable. */
export function validate<T extends TObject>(schema: T, data: Variables): Validated<Static<T>> {
  try {
    return { values: envSchema<Static<T>>({ schema, data: { ...data }, env: false }), faults: [] }
  } catch (cause) {
    const { errors } = cause as { errors?: readonly { instancePath: string }[] }
    if (!errors) throw cause
    const names = new Set(errors.map(({ instancePath }) => instancePath.slice(1)))
    return {
      values: undefined,
      faults: [...names].map((name) => faultOf(name, schema.properties[name])),
    }
  }
}

function faultOf(name: string, schema: TSchema | undefined): string {
  return `${name}: ${expectation(schema)}. ${schema?.description ?? ''}`.trimEnd()
}

function expectation(schema: TSchema | undefined): string {
  if (Array.isArray(schema?.anyOf)) {
    return `must be one of ${schema.anyOf.map((member: TSchema) => member.const).join(', ')}`
  }
  if (schema?.const !== undefined) return `must be ${schema.const} or unset`
  if (schema?.type === 'boolean') return 'must be true or false'
  if (schema?.type !== 'integer') return 'does not have the right form'
  const { minimum, maximum } = schema
  return `must be a whole number ${maximum === undefined ? `of ${minimum} or more` : `from ${minimum} to ${maximum}`}`
}

/**
 * The entries of a comma-separated variable, each read by `parse`. What it cannot read is a fault
 * that names the entries by their places, as an entry itself may be a secret.
 */
export function readList<T>(
  data: Variables,
  name: string,
  parse: (entry: string) => T | undefined,
  form: string,
  faults: string[],
): T[] {
  const entries = (data[name] ?? '').split(',').map((entry) => entry.trim())
  const values = entries.map((entry) => (entry === '' ? undefined : parse(entry)))
  const wrong = entries.flatMap((entry, index) =>
    entry !== '' && values[index] === undefined ? [index + 1] : [],
  )
  if (wrong.length > 0) faults.push(`${name}: entry ${wrong.join(', ')} is not ${form}`)
  return values.filter((value) => value !== undefined)
}
