import { expect } from 'vitest'
import type { Answer, App } from './app.ts'
import { type EventStream, openEvents } from './events.ts'

export interface Item {
  readonly type: string
  readonly content: unknown
  readonly metadata: Readonly<Record<string, unknown>>
  readonly tokens: number
  readonly as_of?: string
  readonly [field: string]: unknown
}

export interface Status {
  readonly session_id: string
  readonly context: { readonly items: readonly Item[]; readonly tokens: number }
  readonly history: readonly { user_input: string; model_response: string; usage: Usage }[]
  readonly created_at: string
  readonly expires_at: string
}

export interface Usage {
  readonly provider: string
  readonly model: string
  readonly input_tokens: number
  readonly output_tokens: number
  readonly saved_tokens: number
  readonly items_sent: number
  readonly items_named: number
  readonly turns_sent: number
  readonly truncated: boolean
}

export interface Update {
  readonly type: string
  readonly id: string
  readonly title: string
  readonly change: string
  readonly content: string
}

export interface Turn {
  readonly model_response: string
  readonly session_id: string
  readonly context_updates: readonly Update[]
  readonly usage: Usage
}

type Headers = Readonly<Record<string, string>>
type Service = Pick<App, 'send' | 'url'>

/** One session, as a caller uses it. What is not named `try…` must succeed. */
export interface Conversation {
  readonly id: string
  tryAdd(items: unknown): Promise<Answer>
  add(...items: readonly unknown[]): Promise<void>
  tryFetch(body: unknown, query?: string): Promise<Answer>
  /** By requests, or by the query form. */
  fetch(wanted: string | readonly unknown[]): Promise<Answer>
  tryInvoke(input: string, config?: unknown): Promise<Answer>
  invoke(input: string, config?: unknown): Promise<Turn>
  stream(input: string, config?: unknown): Promise<EventStream>
  tryStatus(): Promise<Answer>
  status(): Promise<Status>
  remove(): Promise<Answer>
}

export async function startConversation(
  app: Service,
  headers: Headers = {},
): Promise<Conversation> {
  const answer = await app.send('POST', '/mcp/session/create', headers)
  expect([answer.text, answer.status]).toEqual([answer.text, 201])
  return conversation(app, answer.json<{ session_id: string }>().session_id, headers)
}

/** A session that is there already, as somebody asks for it. */
export function conversation(app: Service, id: string, headers: Headers = {}): Conversation {
  const path = `/mcp/session/${id}`
  const post = (to: string, body: unknown) =>
    app.send(
      'POST',
      `${path}/${to}`,
      { 'content-type': 'application/json', ...headers },
      typeof body === 'string' ? body : JSON.stringify(body),
    )
  const must = (answer: Answer, status: number) => {
    if (answer.status !== status) throw new Error(`${answer.status} ${answer.text}`)
    return answer
  }
  const invocation = (user_input: string, model_config?: unknown) => ({ user_input, model_config })
  const tryAdd: Conversation['tryAdd'] = (items) => post('context', items)
  const tryFetch: Conversation['tryFetch'] = (body, query = '') =>
    body === undefined
      ? app.send('POST', `${path}/github_context${query}`, headers)
      : post(`github_context${query}`, body)
  const tryInvoke: Conversation['tryInvoke'] = (input, config) =>
    post('invoke', invocation(input, config))
  const tryStatus = () => app.send('GET', `${path}/status`, headers)
  return {
    id,
    tryAdd,
    add: async (...items) => void must(await tryAdd(items), 204),
    tryFetch,
    fetch: async (wanted) =>
      must(
        await (typeof wanted === 'string'
          ? tryFetch(undefined, wanted)
          : tryFetch({ requests: wanted })),
        204,
      ),
    tryInvoke,
    invoke: async (input, config) => must(await tryInvoke(input, config), 200).json<Turn>(),
    stream: (input, config) =>
      openEvents(`${app.url}${path}/invoke`, invocation(input, config), headers),
    tryStatus,
    status: async () => must(await tryStatus(), 200).json<Status>(),
    remove: () => app.send('DELETE', path, headers),
  }
}
