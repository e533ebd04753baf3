import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

/** A span as OTLP's JSON has it, with plain attributes. */
export interface CollectedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  /** Epoch nanoseconds, in digits. */
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number
  /** 2: it failed. */
  readonly status: { readonly code?: number }
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly attributes: Readonly<Record<string, unknown>>
}

export interface Collector extends AsyncDisposable {
  readonly url: string
  readonly spans: readonly CollectedSpan[]
  readonly resources: readonly Readonly<Record<string, unknown>>[]
  /** Of each delivery, and where it was sent. */
  readonly deliveries: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[]
  /** All that was received, as it came. */
  readonly text: string
  /** What it answers from now on. */
  answerWith(status: number): void
}

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}
interface Payload {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<CollectedSpan, 'attributes'> & {
        readonly attributes: readonly Attribute[]
      })[]
    }[]
  }[]
}

/** What takes traces by OTLP over HTTP (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP"). */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = []
  const resources: Readonly<Record<string, unknown>>[] = []
  const deliveries: { path: string; headers: IncomingHttpHeaders }[] = []
  let status = 200
  let text = ''

  function take(payload: Payload): void {
    for (const { resource, scopeSpans } of payload.resourceSpans) {
      resources.push(plain(resource.attributes))
      for (const scope of scopeSpans) {
        for (const span of scope.spans) spans.push({ ...span, attributes: plain(span.attributes) })
      }
    }
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { headers, url: path = '' } = request
    deliveries.push({ path, headers })
    const body = Buffer.concat(chunks)
    const json = (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()
    text += json
    if (status === 200) take(JSON.parse(json))
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    resources,
    deliveries,
    get text() {
      return text
    },
    answerWith(next) {
      status = next
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function plain(attributes: readonly Attribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [[type, said] = []] = Object.entries(value)
      return [key, type === 'intValue' ? Number(said) : said]
    }),
  )
}
