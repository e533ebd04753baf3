import { type Body, bearerOf, type Protocol, type Refusal, tokensOf } from './protocol.ts'

const event = (type: string, data: object = {}) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

const FIELDS = ['model', 'max_tokens', 'messages', 'system', 'stream']
/** Gone since this version (platform.claude.com/docs/en/api/versioning). */
const OLD_FIELDS = ['temperature', 'top_p', 'top_k']
const VERSIONS = ['2023-06-01', '2026-10-21']

/** Anthropic's Messages API (platform.claude.com/docs/en/api/messages-streaming). */
export const anthropic: Protocol = {
  path: '/v1/messages',
  basePath: '',
  check(headers, body, key) {
    if (key !== undefined && (headers['x-api-key'] ?? bearerOf(headers)) !== key) {
      return { status: 401, type: 'authentication_error', message: 'invalid x-api-key' }
    }
    const version = String(headers['anthropic-version'])
    if (!VERSIONS.includes(version)) return invalid('anthropic-version: header is required')
    const allowed = version === '2026-10-21' ? FIELDS : [...FIELDS, ...OLD_FIELDS]
    const extra = Object.keys(body).find((field) => !allowed.includes(field))
    if (extra) return invalid(`${extra}: Extra inputs are not permitted`)
    if (!Number.isInteger(body.max_tokens)) return invalid('max_tokens: Field required')
    return checkMessages(body)
  },
  begin: (body) =>
    event('message_start', {
      message: {
        id: 'msg_01',
        type: 'message',
        role: 'assistant',
        content: [],
        model: body.model,
        stop_reason: null,
        stop_sequence: null,
        usage: {
          input_tokens: tokensOf(body),
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 0,
          output_tokens: 1,
        },
      },
    }) +
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }) +
    event('ping'),
  text: (_, text) =>
    event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
  end: (_, { reason = 'end_turn', usage }) =>
    event('content_block_stop', { index: 0 }) +
    event('message_delta', {
      delta: { stop_reason: reason, stop_sequence: null },
      usage: {
        output_tokens: usage?.output ?? 7,
        ...(usage ? { input_tokens: usage.input } : {}),
      },
    }) +
    event('message_stop'),
  ping: () => event('ping'),
  error: (type, message) => event('error', { error: { type, message } }),
  problem: ({ type, message }) => ({
    type: 'error',
    error: { type, message },
    request_id: 'req_01',
  }),
}

const invalid = (message: string): Refusal => ({
  status: 400,
  type: 'invalid_request_error',
  message,
})

function checkMessages({ messages }: Body): Refusal | undefined {
  const roles = messages.map(({ role }) => role)
  const expected = messages.map((_, index) => (index % 2 === 0 ? 'user' : 'assistant'))
  if (roles.length % 2 === 0 || roles.join() !== expected.join()) {
    return invalid('messages: roles must alternate, and begin and end with "user"')
  }
  const empty = messages.findIndex(({ content }) => content.trim() === '')
  if (empty !== -1) return invalid(`messages.${empty}: text content blocks must be non-empty`)
  return undefined
}
