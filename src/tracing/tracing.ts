import type { Tracer } from '../core/trace.ts'
import type { Delivery } from './delivery.ts'

export type SamplerName =
  | 'always_on'
  | 'always_off'
  | 'traceidratio'
  | 'parentbased_always_on'
  | 'parentbased_always_off'
  | 'parentbased_traceidratio'

export interface TracingOptions {
  /** OTLP over HTTP, without the path of the signal. */
  readonly endpoint: string
  /** Sent with each delivery: may hold secrets. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the service, beside its name and version. */
  readonly attributes: Readonly<Record<string, string>>
  readonly serviceName: string
  readonly version: string
  readonly sampler: SamplerName
  /** Of the traces that begin here, for samplers that take a share: 0 to 1. */
  readonly ratio: number
  /** Told when traces can no longer be delivered, and when they can again. */
  readonly onChange: Delivery['onChange']
}

/** Writes traces by OpenTelemetry, which is loaded for that alone: 50 modules that others do without. */
export async function startTracing(options: TracingOptions): Promise<Tracer> {
  const { createOpenTelemetry } = await import('./openTelemetry.ts')
  return createOpenTelemetry(options)
}
