import {
  type Span as ApiSpan,
  type Attributes,
  type Context,
  createTraceState,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Attributes as Given, Span, TraceParent, Tracer } from '../core/trace.ts'
import { watched } from './delivery.ts'
import { samplerOf } from './samplers.ts'
import type { TracingOptions } from './tracing.ts'

/** Milliseconds that the end of the process waits for the last spans: less than is left after the drain. */
const LAST_DELIVERY = 1_000
/** Milliseconds for one delivery, retries included. */
const DELIVERY = 10_000
/** Characters of an attribute's value at most, as some hold what callers name. */
const LONGEST_VALUE = 512

const KINDS = { client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const
const SPAN = Symbol('span')
/** A span that knows its OpenTelemetry one, for spans that are made within it. */
interface OwnSpan extends Span {
  readonly [SPAN]: ApiSpan
}

/** Traces by OpenTelemetry's SDK, delivered by OTLP over HTTP in batches. */
export function createOpenTelemetry(options: TracingOptions): Tracer {
  const { endpoint, headers, onChange, serviceName, version } = options
  const exporter = watched(
    new OTLPTraceExporter({
      url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
      headers: { ...headers },
      timeoutMillis: DELIVERY,
    }),
    { onChange },
  )
  const provider = new TracerProvider({
    resource: defaultResource().merge(
      resourceFromAttributes({
        'service.version': version,
        ...options.attributes,
        'service.name': serviceName,
      }),
    ),
    sampler: samplerOf(options.sampler, options.ratio),
    spanLimits: { attributeValueLengthLimit: LONGEST_VALUE },
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: DELIVERY })],
  })
  const tracer = provider.getTracer(serviceName, version)

  function own(span: ApiSpan): OwnSpan {
    const { traceId } = span.spanContext()
    if (!span.isRecording()) return unsampled(span, traceId)
    return {
      [SPAN]: span,
      traceId,
      child(name, kind, attributes = {}) {
        const options = { kind: KINDS[kind], attributes: known(attributes) }
        return own(tracer.startSpan(name, options, within(span)))
      },
      set: (attributes) => void span.setAttributes(known(attributes)),
      fail(type) {
        span.setAttribute('error.type', type)
        span.setStatus({ code: SpanStatusCode.ERROR })
      },
      end: () => span.end(),
    }
  }

  return {
    serve(name, carrier, attributes, { waited = 0, within: surrounding } = {}) {
      const remote = remoteOf(carrier)
      const around = surrounding && (surrounding as OwnSpan)[SPAN]
      const links = remote && around ? [{ context: around.spanContext() }] : []
      const parent = remote ? trace.wrapSpanContext(remote) : around
      // Where it is given, the end is told by the same clock, to the millisecond.
      const startTime = waited >= 1 ? Date.now() - waited : undefined
      const options = { kind: SpanKind.SERVER, attributes: known(attributes), links, startTime }
      return own(tracer.startSpan(name, options, parent ? within(parent) : ROOT_CONTEXT))
    },
    begin: (name) => own(tracer.startSpan(name, {}, ROOT_CONTEXT)),
    get lost() {
      return exporter.lost
    },
    async close() {
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, LAST_DELIVERY)
      await Promise.race([provider.shutdown().catch(() => {}), late])
      clearTimeout(timer)
    },
  }
}

const within = (span: ApiSpan): Context => trace.setSpan(ROOT_CONTEXT, span)

/** One that is not kept: nor is any part of it. */
function unsampled(span: ApiSpan, traceId: string): OwnSpan {
  const own: OwnSpan = {
    [SPAN]: span,
    traceId,
    child: () => own,
    set: nothing,
    fail: nothing,
    end: nothing,
  }
  return own
}

function nothing(): void {}

/** Without those that are undefined. */
function known(given: Given): Attributes {
  const attributes: Attributes = {}
  for (const name in given) {
    const value = given[name]
    if (value !== undefined) attributes[name] = value
  }
  return attributes
}

/** Version, trace, parent and flags (www.w3.org/TR/trace-context, "traceparent Header Field Values"). */
const TRACEPARENT =
  /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.{0,256})?$/
/** Characters; more need not be passed on ("tracestate Limits"). */
const LONGEST_STATE = 512

function remoteOf({ traceparent, tracestate }: TraceParent): SpanContext | undefined {
  const [, version, traceId, spanId, flags, more] =
    (typeof traceparent === 'string' && TRACEPARENT.exec(traceparent)) || []
  if (traceId === undefined || spanId === undefined) return undefined
  // Of later versions what is known counts, and more may follow.
  if (version === '00' && more !== undefined) return undefined
  const hasState = typeof tracestate === 'string' && tracestate.length <= LONGEST_STATE
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags ?? '', 16) & 1,
    isRemote: true,
    ...(hasState ? { traceState: createTraceState(tracestate) } : {}),
  }
}
