import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'

export interface Delivery {
  /** @param reason name of the failure; undefined when it works again */
  readonly onChange: (reason: string | undefined) => void
}

export interface WatchedExporter extends SpanExporter {
  /** Spans that were not delivered. */
  readonly lost: number
}

/** `ExportResultCode.SUCCESS` of @opentelemetry/core. */
const SUCCESS = 0

/** An exporter whose failures hurt nobody, and are told once until it works again. */
export function watched(exporter: SpanExporter, { onChange }: Delivery): WatchedExporter {
  let works = true
  let lost = 0

  function ended(error: Error | undefined, spans: readonly ReadableSpan[]): void {
    if (error) lost += spans.length
    if (works === !error) return
    works = !error
    onChange(error && reasonOf(error))
  }

  return {
    export(spans, done) {
      exporter.export(spans, ({ code, error }) => {
        ended(code === SUCCESS ? undefined : (error ?? new Error('not delivered')), spans)
        done({ code: SUCCESS })
      })
    },
    shutdown: () => exporter.shutdown(),
    get lost() {
      return lost
    },
  }
}

/** A code at most: what a collector answers is not for the log. */
function reasonOf(error: Error): string {
  const { code } = error as { code?: unknown }
  return code === undefined ? error.name : String(code)
}
