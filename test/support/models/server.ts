import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { anthropic } from './anthropic.ts'
import { openai } from './openai.ts'
import type { Body, Protocol } from './protocol.ts'
import { chatters, type Script, type Stage } from './scripts.ts'

export const protocols = { anthropic, openai } as const

/** One request as it came over the wire. */
export interface Call {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Body
  /** The client's end of the connection. */
  readonly port: number | undefined
  /** Resolves when the client leaves before the answer is whole. */
  readonly left: Promise<void>
}

export interface StandIn extends AsyncDisposable {
  /** For `ANTHROPIC_BASE_URL` or `OPENAI_BASE_URL`. */
  readonly url: string
  readonly calls: readonly Call[]
  /** What the next requests get, one each; the others get `chatters`. */
  plays(...scripts: readonly Script[]): void
  /** The call of that index, as soon as it has come. */
  call(index: number): Promise<Call>
  close(): Promise<void>
}

export interface StandInOptions {
  readonly protocol: keyof typeof protocols
  /** The only key it takes; without one it takes all, and none. */
  readonly key?: string
  readonly port?: number
}

/** A server that speaks a provider's protocol on a real socket, and says what it is told to. */
export async function startStandIn({ key, port = 0, protocol }: StandInOptions): Promise<StandIn> {
  const spoken = protocols[protocol]
  const calls: Call[] = []
  const scripts: Script[] = []
  const waiting = new Set<() => void>()

  const server = createServer(async (request, response) => {
    if (request.method !== 'POST' || request.url !== spoken.path) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found')
      return
    }
    const body = (await json(request)) as Body
    const left = Promise.withResolvers<void>()
    response.on('close', () => !response.writableFinished && left.resolve())
    calls.push(recordOf(request, body, left.promise))
    for (const wake of waiting) wake()
    const refusal = spoken.check(request.headers, body, key)
    const stage = createStage(spoken, body, response)
    if (refusal) stage.fail(refusal.status, refusal)
    else await (scripts.shift() ?? chatters)(stage)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')

  const close = async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${spoken.basePath}`,
    calls,
    plays: (...more) => void scripts.push(...more),
    async call(index) {
      for (;;) {
        const found = calls[index]
        if (found) return found
        const { promise, resolve } = Promise.withResolvers<void>()
        waiting.add(resolve)
        await promise
        waiting.delete(resolve)
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function recordOf({ headers, socket, url = '' }: IncomingMessage, body: Body, left: Promise<void>) {
  return { path: url, headers, body, port: socket.remotePort, left }
}

const STREAM = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }

function createStage(spoken: Protocol, body: Body, response: ServerResponse): Stage {
  const write = (text: string) => void response.write(text)
  const answer: Stage['answer'] = (status, headers, text) =>
    void response.writeHead(status, headers).end(text)
  return {
    begin(headers = {}) {
      response.writeHead(200, { ...STREAM, ...headers })
      write(spoken.begin(body))
    },
    text: (text) => write(spoken.text(body, text)),
    async drained() {
      if (response.writableNeedDrain) await once(response, 'drain')
    },
    ping: () => write(spoken.ping()),
    end: (ending = {}) => void response.end(spoken.end(body, ending)),
    error: (type, message) => void response.end(spoken.error(type, message)),
    cut: () => void response.socket?.resetAndDestroy(),
    stop: () => void response.end(),
    raw: write,
    fail: (status, fault, headers = {}) =>
      answer(
        status,
        { 'content-type': 'application/json', ...headers },
        JSON.stringify(spoken.problem({ status, ...fault })),
      ),
    answer,
    asked: body.messages.at(-1)?.content ?? '',
  }
}
