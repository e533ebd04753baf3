import { ask } from './ask.ts'
import { AUTHORIZED } from './service.ts'
import { rawRequest } from './wire.ts'

/** A note of about a kilobyte, which replaces another one with the same id. */
export function noteOf(id: number, version: number) {
  const content = `Note ${id}, version ${version}.\n${'Some words of a text. '.repeat(45)}`
  return { type: 'note', content, metadata: { id: String(id) } }
}

export async function createSession(url: string): Promise<string> {
  const { body, status } = await ask(url, 'POST', '/mcp/session/create', AUTHORIZED)
  if (status !== 201) throw new Error(`${status} ${body}`)
  return (JSON.parse(body.toString()) as { session_id: string }).session_id
}

export function appendRequest(session: string, notes: readonly object[]): Buffer {
  const path = `/mcp/session/${session}/context`
  return rawRequest('POST', path, AUTHORIZED, JSON.stringify(notes))
}

export function statusRequest(session: string): Buffer {
  return rawRequest('GET', `/mcp/session/${session}/status`, AUTHORIZED)
}

export function invokeRequest(session: string, user_input: string): Buffer {
  const path = `/mcp/session/${session}/invoke`
  return rawRequest('POST', path, AUTHORIZED, JSON.stringify({ user_input }))
}
