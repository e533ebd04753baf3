import type { IncomingHttpHeaders } from 'node:http'
import { Writable } from 'node:stream'
import pino from 'pino'
import { Agent, request } from 'undici'
import { readConfig } from '../../src/config.ts'
import { createDeps } from '../../src/deps.ts'
import type { Health } from '../../src/health.ts'
import { type AppOptions as BuildOptions, buildApp } from '../../src/http/app.ts'
import type { GitHub } from './github/index.ts'

export interface AppOptions {
  github: Pick<GitHub, 'url'> & Partial<Pick<GitHub, 'blobs'>>
  env?: Readonly<Record<string, string>>
  /** Replaces a part, for what cannot be brought about from outside. */
  replace?: Partial<BuildOptions>
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body, parsed. */
  json<T>(): T
}

export interface Block {
  readonly type: string
  readonly id: string
  readonly title: string
  readonly url: string
  readonly content: string
  readonly tokens: number
  readonly [field: string]: unknown
}

export interface ContextRequest {
  readonly context_type: string
  readonly params: Readonly<Record<string, unknown>>
  readonly max_tokens?: number
  readonly query?: string
  readonly max_age?: number
  readonly min_trust?: string
  readonly since?: string
}

export interface Omission {
  readonly what: string
  readonly count?: number
  readonly reason: string
  readonly next?: ContextRequest
}

export interface Context {
  readonly context_id: string
  readonly context: readonly Block[]
  readonly tokens: number
  readonly omitted: readonly Omission[]
}

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly request_id: string
  readonly errors?: readonly { pointer: string; message: string }[]
  readonly retry_after?: number
}

type Headers = Readonly<Record<string, string>>

export interface App extends AsyncDisposable {
  readonly url: string
  /** One object for each line of the log since the start. */
  readonly logs: readonly Readonly<Record<string, unknown>>[]
  readonly health: Health
  send(method: string, path: string, headers?: Headers, body?: string): Promise<Answer>
  get(path: string, headers?: Headers): Promise<Answer>
  /** POST /mcp/context; what is not a string is sent as JSON. */
  post(body: unknown, headers?: Headers): Promise<Answer>
  /** The one block of an answer that must be 200. */
  block(request: ContextRequest): Promise<Block>
  /** An answer that must be 200. */
  context(request: ContextRequest): Promise<Context>
  close(): Promise<void>
}

/** The real app, configured by nothing but `env`, on a port of its own in front of a simulated GitHub. */
export async function startApp({ github, env = {}, replace }: AppOptions): Promise<App> {
  const config = readConfig({
    NODE_ENV: 'production',
    GITHUB_API_URL: github.url,
    // Its callers share its event loop here, and the machine is shared as well.
    MAX_EVENT_LOOP_DELAY_MS: '60000',
    ...(github.blobs && { GITHUB_DOWNLOAD_HOSTS: new URL(github.blobs.url).host }),
    ...env,
  })
  const logs: Record<string, unknown>[] = []
  const lines = new Writable({
    decodeStrings: false,
    write(line, _encoding, done) {
      logs.push(JSON.parse(line))
      done()
    },
  })
  const deps = await createDeps(config, pino({ level: config.LOG_LEVEL, base: undefined }, lines))
  const app = await buildApp({ ...deps.app, ...replace })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const { health } = deps.app
  health.become('ready')
  logs.length = 0
  const client = createClient(url)
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= (async () => {
      await client.close()
      await app.close()
      await deps.close()
    })()
    return closed
  }
  return { url, logs, health, ...client, close, [Symbol.asyncDispose]: close }
}

export type Client = Pick<App, 'send' | 'get' | 'post' | 'block' | 'context' | 'close'>

/** A caller of the service over keep-alive connections. */
export function createClient(url: string): Client {
  const dispatcher = new Agent({ allowH2: false })
  const send: Client['send'] = async (method, path, headers = {}, body) => {
    const options = { method, headers, dispatcher, ...(body === undefined ? {} : { body }) }
    const response = await request(url + path, options)
    const text = await response.body.text()
    return {
      status: response.statusCode,
      headers: response.headers,
      text,
      json: () => JSON.parse(text),
    }
  }
  const post: Client['post'] = (body, headers = {}) =>
    send(
      'POST',
      '/mcp/context',
      { 'content-type': 'application/json', ...headers },
      typeof body === 'string' ? body : JSON.stringify(body),
    )
  const context: Client['context'] = async (contextRequest) => {
    const answer = await post(contextRequest)
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
    return answer.json()
  }
  return {
    send,
    post,
    context,
    get: (path, headers) => send('GET', path, headers),
    async block(contextRequest) {
      const [block, ...more] = (await context(contextRequest)).context
      if (!block || more.length > 0) throw new Error('not one block')
      return block
    },
    close: () => dispatcher.destroy(),
  }
}
