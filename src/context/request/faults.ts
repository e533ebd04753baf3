import type { TObject, TSchema } from '@sinclair/typebox'
import type { TypeCheck } from '@sinclair/typebox/compiler'
import { type ValueError, ValueErrorType } from '@sinclair/typebox/errors'
import { type Fault, invalid, ServiceError } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'

const MOST_FAULTS = 20

/** The problem of a value that does not pass `check`: each fault in words that say what to send instead. */
export function faulty(
  check: TypeCheck<TObject>,
  schema: TObject,
  value: unknown,
  base: string,
  subject: string,
): ServiceError {
  const errors = faultsOf(check, schema, value, base, subject)
  const [first] = errors
  if (!first) return invalid(base, 'is not valid')
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more, see errors)` : ''
  const detail = `${first.pointer || 'The request'}: ${first.message}${more}`
  return new ServiceError('invalid_request', detail, { errors })
}

function faultsOf(
  check: TypeCheck<TObject>,
  schema: TObject,
  value: unknown,
  base: string,
  subject: string,
): Fault[] {
  const faults = new Map<string, Fault>()
  for (const error of check.Errors(value)) {
    const pointer = base + error.path
    // A missing field is reported twice, as missing and as ill-typed: the first says it better.
    if (!faults.has(pointer))
      faults.set(pointer, { pointer, message: messageOf(error, schema, subject) })
    if (faults.size === MOST_FAULTS) break
  }
  return [...faults.values()]
}

function messageOf(error: ValueError, schema: TObject, subject: string): string {
  switch (error.type) {
    case ValueErrorType.ObjectAdditionalProperties:
      return unknownName(lastSegment(error.path), Object.keys(schema.properties), subject)
    case ValueErrorType.ObjectRequiredProperty:
      return `is required. ${describe(schema.properties[lastSegment(error.path)])}`
    case ValueErrorType.StringPattern:
      return `does not have the right form. ${describe(error.schema)}`
    case ValueErrorType.Union:
      return `must be ${choices(error.schema)}`
    default:
      return `${error.message.toLowerCase()}. ${describe(error.schema)}`.trimEnd()
  }
}

function unknownName(name: string, names: readonly string[], subject: string): string {
  const suggestion = nearest(name, names)
  const hint = suggestion ? `did you mean "${suggestion}"?` : `known are ${names.join(', ')}.`
  return `is not a parameter of ${subject}; ${hint}`
}

function choices(schema: TSchema): string {
  const members: TSchema[] = schema.anyOf ?? []
  const literals = members.map((member) => member.const).filter((value) => value !== undefined)
  return literals.length > 0
    ? `one of ${literals.join(', ')}`
    : (schema.description ?? 'of another type')
}

function describe(schema: TSchema | undefined): string {
  return schema?.description ? `${schema.description}.` : ''
}

function lastSegment(pointer: string): string {
  return pointer
    .slice(pointer.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
}
