/** Tools of the conformance suite that need nothing of the client. */
import { setTimeout as sleep } from 'node:timers/promises'
import { META } from '../../../src/mcp/protocol/era.ts'
import { isObject, type Params, RpcError } from '../../../src/mcp/protocol/message.ts'
import { type Call, notification, type Result } from '../../../src/mcp/protocol/methods.ts'

export interface FixtureTool {
  readonly name: string
  readonly inputSchema?: object
  /** Gets the params of `tools/call`. */
  readonly run: (params: Params, call: Call) => Result | Promise<Result>
}

export const listed = ({ name, inputSchema = { type: 'object' } }: FixtureTool) => ({
  name,
  description: `${name}, for tests`,
  inputSchema,
})

export const text = (words: string) => ({ type: 'text', text: words })

/** One red pixel, and no sound at all. */
export const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA='

/** Milliseconds between messages, as the suite asks for. */
const PAUSE = 50
const MISSING_CAPABILITY = -32_021

const image = { type: 'image', data: PNG, mimeType: 'image/png' }
const resource = (uri: string, mimeType: string, words: string) => ({
  type: 'resource',
  resource: { uri, mimeType, text: words },
})

const answering = (name: string, ...content: object[]): FixtureTool => ({
  name,
  run: () => ({ content }),
})

/** In the modern era logs are for those who ask for them in the request. */
async function log({ era, meta, send }: Call, ...lines: string[]): Promise<void> {
  if (era === 'modern' && meta[META.logLevel] === undefined) return
  for (const [index, data] of lines.entries()) {
    if (index > 0) await sleep(PAUSE)
    send?.(notification('notifications/message', { level: 'info', data }))
  }
}

export const plainTools: readonly FixtureTool[] = [
  answering('test_simple_text', text('This is a simple text response for testing.')),
  answering('test_image_content', image),
  answering('test_audio_content', { type: 'audio', data: WAV, mimeType: 'audio/wav' }),
  answering(
    'test_embedded_resource',
    resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'),
  ),
  answering(
    'test_multiple_content_types',
    text('Multiple content types test:'),
    image,
    resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  ),
  {
    name: 'test_error_handling',
    run: () => ({
      content: [text('This tool intentionally returns an error for testing')],
      isError: true,
    }),
  },
  {
    name: 'test_tool_with_logging',
    async run(_params, call) {
      await log(call, 'Tool execution started', 'Tool processing data', 'Tool execution completed')
      return { content: [text('Done.')] }
    },
  },
  {
    name: 'test_logging_tool',
    async run(_params, call) {
      await log(call, 'A line')
      return { content: [text('Done.')] }
    },
  },
  {
    name: 'test_tool_with_progress',
    async run(_params, { meta: { progressToken }, send }) {
      for (const progress of [0, 50, 100]) {
        if (progress > 0) await sleep(PAUSE)
        if (progressToken !== undefined)
          send?.(notification('notifications/progress', { progressToken, progress, total: 100 }))
      }
      return { content: [text('Done.')] }
    },
  },
  {
    name: 'test_missing_capability',
    run(_params, { meta }) {
      const capabilities = meta[META.clientCapabilities]
      if (isObject(capabilities) && capabilities.sampling) return { content: [text('Done.')] }
      throw new RpcError(MISSING_CAPABILITY, 'The client cannot sample.', {
        status: 400,
        data: { requiredCapabilities: { sampling: {} } },
      })
    },
  },
  {
    name: 'json_schema_2020_12_tool',
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        address: {
          $anchor: 'addressDef',
          type: 'object',
          properties: { street: { type: 'string' }, city: { type: 'string' } },
        },
      },
      properties: {
        name: { type: 'string' },
        address: { $ref: '#/$defs/address' },
        contactMethod: { type: 'string', enum: ['phone', 'email'] },
        phone: { type: 'string' },
        email: { type: 'string' },
      },
      allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
      if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ['phone'] },
      else: { required: ['email'] },
      additionalProperties: false,
    },
    run: () => ({ content: [text('Done.')] }),
  },
]
