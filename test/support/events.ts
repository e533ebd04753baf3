import { Agent, request } from 'undici'

export interface ServerEvent {
  readonly name: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface EventStream extends AsyncIterable<ServerEvent> {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** All events to the end. */
  all(): Promise<ServerEvent[]>
  /** Hangs up. */
  close(): Promise<void>
}

/** A caller that reads server-sent events as they come. */
export async function openEvents(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventStream> {
  const dispatcher = new Agent({ allowH2: false })
  const response = await request(url, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    dispatcher,
  })
  async function* read(): AsyncGenerator<ServerEvent> {
    let rest = ''
    response.body.setEncoding('utf8')
    for await (const chunk of response.body) {
      const parts = (rest + chunk).split('\n\n')
      rest = parts.pop() ?? ''
      for (const part of parts.filter((part) => !part.startsWith(':'))) yield parse(part)
    }
    if (rest !== '') throw new Error(`the stream ended within an event: ${rest}`)
  }
  const events = read()
  return {
    status: response.statusCode,
    headers: response.headers,
    [Symbol.asyncIterator]: () => events,
    async all() {
      const found: ServerEvent[] = []
      for await (const event of events) found.push(event)
      return found
    },
    close: () => dispatcher.destroy(),
  }
}

function parse(text: string): ServerEvent {
  const [, name = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(text) ?? []
  if (name === '') throw new Error(`not an event: ${text}`)
  return { name, data: JSON.parse(data) }
}
