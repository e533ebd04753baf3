import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Answer, App } from '../app.ts'

/** The two forms of the protocol, by the latest revision of each. */
export const ERAS = ['2026-07-28', '2025-11-25'] as const
export type Revision = (typeof ERAS)[number]

const MODERN = '2026-07-28'

type Headers = Readonly<Record<string, string>>
export type Params = Readonly<Record<string, unknown>>

/** What a client of 2026-07-28 says of itself in each request. */
export const envelope = (more: Params = {}): Params => ({
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
  ...more,
})

export interface Rpc {
  readonly jsonrpc: string
  readonly id: unknown
  // biome-ignore lint/suspicious/noExplicitAny: whatever the method answers
  readonly result?: any
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** One request as the official clients of a revision send it. */
export function message(
  revision: Revision,
  method: string,
  params: Params = {},
): { headers: Headers; body: Params } {
  const modern = revision === MODERN
  const { _meta: meta, ...others } = params
  const name = params.name ?? params.uri
  return {
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': revision,
      ...(modern && { 'mcp-method': method }),
      ...(modern && typeof name === 'string' && { 'mcp-name': encoded(name) }),
    },
    body: {
      jsonrpc: '2.0',
      id: 1,
      method,
      params: {
        ...others,
        ...(modern ? { _meta: envelope(meta as Params) } : meta ? { _meta: meta } : {}),
      },
    },
  }
}

const encoded = (name: string) =>
  /^[\x21-\x7e]+$/.test(name) ? name : `=?base64?${Buffer.from(name).toString('base64')}?=`

export function send(
  app: Pick<App, 'send'>,
  revision: Revision,
  method: string,
  params: Params = {},
  headers: Headers = {},
): Promise<Answer> {
  const { body, headers: usual } = message(revision, method, params)
  return app.send('POST', '/mcp', { ...usual, ...headers }, JSON.stringify(body))
}

/** The whole answer of one request, which must be JSON. */
export async function rpc(
  app: Pick<App, 'send'>,
  revision: Revision,
  method: string,
  params: Params = {},
  headers: Headers = {},
): Promise<Rpc> {
  return (await send(app, revision, method, params, headers)).json<Rpc>()
}

export interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text: string }[]
  // biome-ignore lint/suspicious/noExplicitAny: as the tool's schema says
  readonly structuredContent?: any
  readonly isError?: boolean
}

/** What a tool answers, by the latest revision. */
export async function call(
  app: Pick<App, 'send'>,
  name: string,
  args: Params = {},
  headers: Headers = {},
): Promise<ToolResult> {
  const { error, result } = await rpc(app, MODERN, 'tools/call', { name, arguments: args }, headers)
  if (error) throw new Error(`${error.code} ${error.message}`)
  return result
}

/** The official client, connected over HTTP by one revision. */
export async function connect(url: string, revision: Revision, headers: Headers = {}) {
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: { mode: revision === MODERN ? { pin: MODERN } : 'legacy' } },
  )
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    requestInit: { headers: { ...headers } },
  })
  await client.connect(transport)
  return client
}
