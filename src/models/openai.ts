import type { OpenAI } from 'openai'
import { countTokens } from '../core/tokens.ts'
import type { Wire } from './adapter.ts'
import type { ModelEvent, ModelRequest, ModelUsage } from './model.ts'
import { familyOf, gptWindows, windowOf } from './windows.ts'

export interface OpenAIOptions {
  /** Undefined for a server that needs none. */
  readonly apiKey: string | undefined
  readonly baseUrl: string | undefined
  /** Tokens, for models of no known family. */
  readonly contextTokens: number
  /** Milliseconds for a whole reply. */
  readonly timeoutMs: number
  readonly fetch: typeof globalThis.fetch
}

const BASE = 'https://api.openai.com/v1'
/** Hosts that serve OpenAI's own models. */
const OWN_HOST = /(^|\.)(openai\.com|azure\.com)$/

/**
 * OpenAI, and every server that speaks its chat completions: Ollama, llama.cpp, vLLM, gateways. The
 * newer responses API would bring this service nothing, as it keeps the conversation and runs no
 * tools, and would leave out most of those servers; OpenAI's models answer to both.
 */
export function createOpenAI(options: OpenAIOptions): Wire {
  const client = connect(options)
  // Shows where it is awaited.
  client.catch(() => {})
  const own = OWN_HOST.test(new URL(options.baseUrl ?? BASE).hostname)
  return {
    provider: { name: 'openai', key: 'OPENAI_API_KEY', url: 'OPENAI_BASE_URL' },
    // What another server has, only its operator knows.
    defaultModel: own ? 'gpt-6.1-terra' : undefined,
    contextWindow: (model) => windowOf(gptWindows, model) ?? options.contextTokens,
    family: (model) => familyOf(gptWindows, model),
    attempt: (request, signal) => attempt(client, { own, apiKey: options.apiKey }, request, signal),
  }
}

/** Loaded only where it is configured, as that takes a tenth of a second. Nothing is read from the environment. */
async function connect({
  apiKey,
  baseUrl = BASE,
  fetch,
  timeoutMs,
}: OpenAIOptions): Promise<OpenAI> {
  const { OpenAI } = await import('openai')
  return new OpenAI({
    // It does not start without any.
    apiKey: apiKey ?? 'none',
    baseURL: baseUrl,
    // Else they would come out of variables of the environment.
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    fetch,
    timeout: timeoutMs,
    // `persist` knows the deadline and what was passed on; the SDK does not.
    maxRetries: 0,
    logLevel: 'off',
  })
}

async function* attempt(
  connecting: Promise<OpenAI>,
  { apiKey, own }: { readonly apiKey: string | undefined; readonly own: boolean },
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const { maxTokens, messages, model, system, temperature } = request
  const client = await connecting
  const chunks = await client.chat.completions.create(
    {
      model,
      messages: [
        ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
        ...messages.map(({ role, content }) => ({ role, content })),
      ],
      // OpenAI's newer models refuse the old name, Ollama ignores the new one (ollama/ollama#7125).
      ...(own ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens }),
      ...(temperature === undefined ? {} : { temperature }),
      stream: true,
      stream_options: { include_usage: true },
    },
    { signal, headers: { authorization: apiKey === undefined ? null : `Bearer ${apiKey}` } },
  )
  yield* read(chunks, request)
}

const CUT_SHORT = new Set(['length', 'content_filter'])

async function* read(
  chunks: AsyncIterable<OpenAI.ChatCompletionChunk>,
  request: ModelRequest,
): AsyncGenerator<ModelEvent> {
  let model = request.model
  let reason: string | null | undefined
  let usage: ModelUsage | undefined
  const said: string[] = []
  for await (const chunk of chunks) {
    if (chunk.model) model = chunk.model
    if (chunk.usage)
      usage = { input: chunk.usage.prompt_tokens, output: chunk.usage.completion_tokens }
    const choice = chunk.choices?.[0]
    reason = choice?.finish_reason ?? reason
    // A refusal is what the model says in place of an answer.
    const text = choice?.delta?.content || choice?.delta?.refusal
    if (!text) continue
    said.push(text)
    yield { type: 'text', text }
  }
  // The stream also ends quietly where it breaks off or is aborted: whole is what has a reason to end.
  if (!reason) return
  usage ??= { input: estimate(request), output: countTokens(said.join('')) }
  yield { type: 'end', usage, model, truncated: CUT_SHORT.has(reason) }
}

/** Of each message, what the frame around it costs (cookbook.openai.com, "How to count tokens"). */
const FRAME = 4

/** For servers that do not say what they counted. */
function estimate({ messages, system }: ModelRequest): number {
  const texts = [...(system === undefined ? [] : [system]), ...messages.map((each) => each.content)]
  return texts.reduce((sum, text) => sum + countTokens(text) + FRAME, 0)
}
