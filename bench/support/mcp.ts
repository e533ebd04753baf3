import { ask } from './ask.ts'
import { AUTHORIZED } from './service.ts'
import { type Reply, rawRequest } from './wire.ts'

/** Revisions of the protocol in their two forms. */
export const ERAS = ['2026-07-28', '2025-11-25'] as const

export interface Call {
  readonly era: (typeof ERAS)[number]
  /** Number of an issue of the benches' repository. */
  readonly issue: number
}

/** A call of `github_issue` as the official clients send it. */
function messageOf({ era, issue }: Call): { headers: Record<string, string>; body: string } {
  const name = 'github_issue'
  const args = { owner: 'bench', repo: 'bench', issue_number: issue }
  const modern = era === '2026-07-28'
  const meta = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const params = { name, arguments: args, ...(modern ? { _meta: meta } : {}) }
  return {
    headers: {
      ...AUTHORIZED,
      host: 'localhost',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': era,
      ...(modern ? { 'mcp-method': 'tools/call', 'mcp-name': name } : {}),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params }),
  }
}

export function callRequest(call: Call): Buffer {
  const { headers, body } = messageOf(call)
  return rawRequest('POST', '/mcp', headers, body)
}

/** One call; throws unless the tool answers. */
export async function callTool(url: string, call: Call): Promise<Reply> {
  const { headers, body } = messageOf(call)
  const reply = await ask(url, 'POST', '/mcp', headers, body)
  if (reply.status !== 200 || reply.body.includes('"isError"'))
    throw new Error(`${reply.status} ${reply.body}`)
  return reply
}
