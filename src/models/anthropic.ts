import type { Anthropic } from '@anthropic-ai/sdk'
import type { Wire } from './adapter.ts'
import type { ModelEvent, ModelRequest } from './model.ts'
import { claudeWindows, familyOf, windowOf } from './windows.ts'

export interface AnthropicOptions {
  readonly apiKey: string
  readonly baseUrl: string | undefined
  /** Tokens, for models of no known family. */
  readonly contextTokens: number
  /** Milliseconds for a whole reply. */
  readonly timeoutMs: number
  readonly fetch: typeof globalThis.fetch
}

const ORIGIN = 'https://api.anthropic.com'
/** What the SDK is made for; it no longer takes `temperature`, not even its default. */
const VERSION = '2026-10-21'
/** The last that takes `temperature`, with models up to Claude 4.6 (platform.claude.com/docs/en/api/versioning). */
const VERSION_WITH_TEMPERATURE = '2023-06-01'
/** Claude's tokens are smaller than those that `core/tokens.ts` counts: by a third since Claude 5. */
const TOKENS_OF_OURS = 0.7

/** Claude through Anthropic's Messages API. */
export function createAnthropic(options: AnthropicOptions): Wire {
  const client = connect(options)
  // Shows where it is awaited.
  client.catch(() => {})
  return {
    provider: { name: 'anthropic', key: 'ANTHROPIC_API_KEY', url: 'ANTHROPIC_BASE_URL' },
    defaultModel: 'claude-sonnet-5-5',
    contextWindow(model) {
      const window = windowOf(claudeWindows, model)
      return window === undefined ? options.contextTokens : Math.floor(window * TOKENS_OF_OURS)
    },
    family: (model) => familyOf(claudeWindows, model),
    attempt: (request, signal) => attempt(client, options.apiKey, request, signal),
  }
}

/** Loaded only where it is configured, as that takes a tenth of a second. Nothing is read from the environment. */
async function connect({
  apiKey,
  baseUrl = ORIGIN,
  fetch,
  timeoutMs,
}: AnthropicOptions): Promise<Anthropic> {
  const { Anthropic } = await import('@anthropic-ai/sdk')
  return new Anthropic({
    apiKey,
    baseURL: baseUrl,
    webhookKey: null,
    fetch,
    timeout: timeoutMs,
    // `persist` knows the deadline and what was passed on; the SDK does not.
    maxRetries: 0,
    logLevel: 'off',
    openTelemetry: false,
  })
}

async function* attempt(
  connecting: Promise<Anthropic>,
  apiKey: string,
  { maxTokens, messages, model, system, temperature }: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const client = await connecting
  const body = {
    model,
    max_tokens: maxTokens,
    messages: messages.map(({ role, content }) => ({ role, content })),
    ...(system === undefined ? {} : { system }),
    ...(temperature === undefined ? {} : { temperature }),
    stream: true as const,
  }
  const version = temperature === undefined ? VERSION : VERSION_WITH_TEMPERATURE
  const events = await client.messages.create(body, {
    signal,
    headers: { authorization: `Bearer ${apiKey}`, 'anthropic-version': version },
  })
  yield* read(events, model)
}

async function* read(
  events: AsyncIterable<Anthropic.RawMessageStreamEvent>,
  asked: string,
): AsyncGenerator<ModelEvent> {
  let model = asked
  let usage = { input: 0, output: 0 }
  let truncated = false
  let whole = false
  for await (const event of events) {
    switch (event.type) {
      case 'message_start':
        model = event.message.model
        usage = usageOf(event.message.usage, usage)
        break
      case 'content_block_delta':
        if (event.delta.type === 'text_delta') yield { type: 'text', text: event.delta.text }
        break
      case 'message_delta':
        truncated = CUT_SHORT.has(event.delta.stop_reason ?? '')
        usage = usageOf(event.usage, usage)
        break
      case 'message_stop':
        whole = true
    }
  }
  // Only now, as the connection can be used again when all of it was read.
  if (whole) yield { type: 'end', usage, model, truncated }
}

const CUT_SHORT = new Set(['max_tokens', 'model_context_window_exceeded', 'refusal'])

type Counted = Pick<
  Anthropic.MessageDeltaUsage,
  'input_tokens' | 'cache_creation_input_tokens' | 'cache_read_input_tokens' | 'output_tokens'
>

/** Counts are for all so far; `input_tokens` leaves out what came from or went to a cache. */
function usageOf(counted: Counted | undefined, before: { input: number; output: number }) {
  if (!counted) return before
  const { input_tokens: plain, output_tokens: output } = counted
  const cached = (counted.cache_creation_input_tokens ?? 0) + (counted.cache_read_input_tokens ?? 0)
  return {
    input: typeof plain === 'number' ? plain + cached : before.input,
    output: output ?? before.output,
  }
}
