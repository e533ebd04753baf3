import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace'
import type { SamplerName } from './tracing.ts'

/** As `OTEL_TRACES_SAMPLER` names them (opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables). */
const SAMPLERS = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio),
  parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  parentbased_traceidratio: (ratio) =>
    new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
} as const satisfies Record<SamplerName, (ratio: number) => Sampler>

/**
 * Those of `traceidratio` alone decide without the caller; the SDK has that sampler decide for the
 * parts of a trace as for the whole, by the trace's id.
 */
export function samplerOf(name: SamplerName, ratio: number): Sampler {
  return SAMPLERS[name](ratio)
}
