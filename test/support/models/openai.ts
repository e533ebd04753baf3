import { type Body, bearerOf, type Protocol, type Refusal, tokensOf } from './protocol.ts'

const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`

const FIELDS = [
  'model',
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'stream',
  'stream_options',
]

/** Chat completions (developers.openai.com/api/docs/api-reference/chat), as OpenAI and its likes speak them. */
export const openai: Protocol = {
  path: '/v1/chat/completions',
  basePath: '/v1',
  check(headers, body, key) {
    if (key !== undefined && bearerOf(headers) !== key) {
      const message = `Incorrect API key provided: ${bearerOf(headers)}.`
      return { status: 401, type: 'invalid_request_error', message }
    }
    const extra = Object.keys(body).find((field) => !FIELDS.includes(field))
    if (extra) return invalid(`Unrecognized request argument supplied: ${extra}`)
    if (body.max_tokens !== undefined && body.max_completion_tokens !== undefined) {
      return invalid(
        'Setting max_tokens and max_completion_tokens at the same time is not supported.',
      )
    }
    const roles = body.messages.map(({ role }) => role)
    const wrong = roles.find((role) => !['system', 'user', 'assistant'].includes(role))
    return wrong ? invalid(`Invalid value: '${wrong}'`) : undefined
  },
  begin: (body) => chunk(body, [choice({ role: 'assistant', content: '' })]),
  text: (body, content) => chunk(body, [choice({ content })]),
  end(body, { reason = 'stop', usage = { input: tokensOf(body), output: 7 } }) {
    const asked = (body.stream_options as { include_usage?: boolean } | undefined)?.include_usage
    const counted = usage && {
      prompt_tokens: usage.input,
      completion_tokens: usage.output,
      total_tokens: usage.input + usage.output,
    }
    const last = asked && counted ? chunk(body, [], { usage: counted }) : ''
    return `${chunk(body, [choice({}, reason)])}${last}data: [DONE]\n\n`
  },
  ping: () => ': keep-alive\n\n',
  error: (type, message) => event({ error: { type, message, code: null, param: null } }),
  problem: ({ type, message, code }) => ({
    error: { type, message, param: null, code: code ?? null },
  }),
}

const choice = (delta: object, reason: string | null = null) => ({
  index: 0,
  delta,
  logprobs: null,
  finish_reason: reason,
})

const chunk = (body: Body, choices: readonly object[], more: object = {}) =>
  event({
    id: 'chatcmpl-01',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: body.model,
    choices,
    ...more,
  })

const invalid = (message: string): Refusal => ({
  status: 400,
  type: 'invalid_request_error',
  message,
})
