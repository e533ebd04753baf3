import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { GitHub } from './github/index.ts'

/** One exchange, as far as an alteration may go by it. */
export interface Exchange {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Of GraphQL. */
  readonly query: string | undefined
}

/** What GitHub would have sent, as something else. */
export type Alter = (exchange: Exchange, body: unknown) => unknown

export type AlteredGitHub = Pick<GitHub, 'url' | 'blobs'> & AsyncDisposable

/** Stands between the service and GitHub, and alters each JSON answer that is one. */
export async function startAltered(github: GitHub, alter: Alter): Promise<AlteredGitHub> {
  const server = createServer(async (request, response) => {
    const { status, headers, body } = await ask(github, request)
    const isJson = headers.get('content-type')?.includes('json') && status === 200
    const { pathname } = new URL(request.url ?? '/', github.url)
    const query = pathname.endsWith('/graphql') ? JSON.parse(body.sent).query : undefined
    const altered = isJson
      ? JSON.stringify(
          alter({ method: request.method ?? '', path: pathname, query }, JSON.parse(body.received)),
        )
      : body.received
    for (const [name, value] of headers) if (!LEFT_OUT.has(name)) response.setHeader(name, value)
    response.writeHead(status).end(altered.replaceAll(github.url, url))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    blobs: github.blobs,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What is true of the original only. */
const LEFT_OUT = new Set(['etag', 'content-length', 'content-encoding', 'transfer-encoding'])
const NOT_ASKED = new Set(['host', 'connection', 'if-none-match', 'content-length'])

async function ask(github: GitHub, request: IncomingMessage) {
  const sent = await text(request)
  const headers = Object.entries(request.headers).filter(([name]) => !NOT_ASKED.has(name))
  const response = await fetch(github.url + request.url, {
    method: request.method ?? 'GET',
    headers: Object.fromEntries(headers) as Record<string, string>,
    redirect: 'manual',
    ...(sent === '' ? {} : { body: sent }),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: { sent, received: await response.text() },
  }
}
