import { ServiceError } from './errors.ts'

/*
 * Traces as the service writes them, whoever carries them off. Where nobody traces, a span is
 * `undefined`: then nothing is made, and nothing is called.
 */

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** Something that takes time, and is part of a trace. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** A part of it. `client`: a call to another service. */
  child(name: string, kind: 'client' | 'internal', attributes?: Attributes): Span
  set(attributes: Attributes): void
  /** @param type a name out of a closed set: a problem's code, or an error's name */
  fail(type: string): void
  /** Nothing may be told of it afterwards. */
  end(): void
}

/** A trace that goes on here, as its caller sent it (www.w3.org/TR/trace-context). Nothing of it is trusted. */
export interface TraceParent {
  readonly traceparent?: unknown
  readonly tracestate?: unknown
}

/** What a span for somebody outside has around it and before it. */
export interface Surroundings {
  readonly within?: Span | undefined
  /** Milliseconds that it waited for until it is told of; they are part of it. */
  readonly waited?: number | undefined
}

export interface Tracer {
  /**
   * A span for what somebody outside asks for: part of the caller's trace where it sends a valid
   * one, else of `within`, else the first of a trace of its own.
   */
  serve(name: string, parent: TraceParent, attributes: Attributes, around?: Surroundings): Span
  /** The first span of a trace of its own, for what is done for nobody in particular. */
  begin(name: string): Span
  /** Spans that could not be delivered. */
  readonly lost: number
  /** Delivers what is left, within a second. Never throws. */
  close(): Promise<void>
}

/** Work as a part of a trace, where there is one. @throws as `work` */
export function traced<T>(
  parent: Span | undefined,
  name: string,
  attributes: Attributes,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  return parent ? within(parent.child(name, 'internal', attributes), work) : work(undefined)
}

async function within<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await work(span)
  } catch (error) {
    span.fail(errorType(error))
    throw error
  } finally {
    span.end()
  }
}

/** What kind of error it is, without its words. */
export function errorType(error: unknown): string {
  if (error instanceof ServiceError) return error.code
  return error instanceof Error ? error.name : 'unknown'
}
