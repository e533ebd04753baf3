import type { Scope } from '../../core/scopes.ts'
import type { Call, Result } from '../protocol/methods.ts'
import type { ObjectSchema } from './schema.ts'

export type Arguments = Readonly<Record<string, unknown>>

/** What a client can call. */
export interface Tool {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: ObjectSchema
  readonly outputSchema: object
  readonly annotations: Annotations
  /** The set that it belongs to, by which an operator can leave it out. */
  readonly toolset: string
  /** What an access token must permit beyond reading. */
  readonly scope?: Scope
  /** @throws ServiceError, which the client gets as the tool's error */
  readonly run: (args: Arguments, call: Call) => Promise<Result>
}

/** Hints to clients (specification, "Tool annotations"). */
export interface Annotations {
  readonly readOnlyHint: boolean
  readonly destructiveHint?: boolean
  readonly idempotentHint: boolean
  readonly openWorldHint: boolean
}

/** Of everything that only reads GitHub. */
export const READS: Annotations = { readOnlyHint: true, idempotentHint: true, openWorldHint: true }

/** A tool as it is listed. */
export function listed({ name, title, description, inputSchema, outputSchema, annotations }: Tool) {
  return { name, title, description, inputSchema, outputSchema, annotations }
}
