import type { ReplyReport } from '../../../src/models/adapter.ts'
import type { ModelAdapter, ModelEvent, ModelRequest, Models } from '../../../src/models/model.ts'
import { createModels, type ModelsConfig } from '../../../src/models/registry.ts'
import type { protocols, StandIn } from './server.ts'

export type ProtocolName = keyof typeof protocols

/** Put together, so that scanners do not take it for a real one. */
export const KEY = ['sk', 'test', 'f4a91c77d2'].join('-')

export interface Asking extends AsyncDisposable {
  readonly models: Models
  readonly reports: readonly ReplyReport[]
  /** Milliseconds of each wait between two attempts, none of which takes any time. */
  readonly waits: readonly number[]
}

export interface AskingOptions {
  readonly config?: Partial<ModelsConfig>
  readonly now?: () => number
  /** In place of waits that are over at once. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/** The models as the service makes them. */
export function createAsking({ config, now = Date.now, wait }: AskingOptions = {}): Asking {
  const reports: ReplyReport[] = []
  const waits: number[] = []
  const models = createModels(
    {
      MODEL_TIMEOUT_MS: 20_000,
      MODEL_REPLY_TIMEOUT_MS: 40_000,
      MODEL_CONTEXT_TOKENS: 8_192,
      ...config,
    },
    {
      userAgent: 'github-context-service/test',
      now,
      random: () => 1,
      onReply: (report) => reports.push(report),
      async wait(ms, signal) {
        waits.push(ms)
        await wait?.(ms, signal)
      },
    },
  )
  return { models, reports, waits, [Symbol.asyncDispose]: () => models.close() }
}

export const configFor = (
  protocol: ProtocolName,
  server: Pick<StandIn, 'url'>,
  key: string = KEY,
): Partial<ModelsConfig> =>
  protocol === 'anthropic'
    ? { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: server.url }
    : { OPENAI_API_KEY: key, OPENAI_BASE_URL: server.url }

export const MODELS = { anthropic: 'claude-sonnet-5-5', openai: 'gpt-6.1-terra' } as const

export function requestOf(protocol: ProtocolName, more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: MODELS[protocol],
    system: undefined,
    messages: [{ role: 'user', content: 'What is new?' }],
    maxTokens: 500,
    temperature: undefined,
    ...more,
  }
}

export const adapterOf = (models: Models, provider: string): ModelAdapter =>
  models.choose({ provider, ...(provider === 'openai' ? { model: MODELS.openai } : {}) }).adapter

export interface Reply {
  readonly texts: readonly string[]
  readonly text: string
  readonly end: Extract<ModelEvent, { type: 'end' }> | undefined
}

export async function collect(events: AsyncIterable<ModelEvent>): Promise<Reply> {
  const texts: string[] = []
  let end: Reply['end']
  for await (const event of events) {
    if (event.type === 'text') texts.push(event.text)
    else end = event
  }
  return { texts, text: texts.join(''), end }
}

/** What a reply fails with, and what came before. */
export async function failureOf(events: AsyncIterable<ModelEvent>) {
  const texts: string[] = []
  try {
    for await (const event of events) if (event.type === 'text') texts.push(event.text)
  } catch (error) {
    return { error, texts }
  }
  throw new Error(`It did not fail; it said: ${texts.join('')}`)
}
