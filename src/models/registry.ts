import { setTimeout as sleep } from 'node:timers/promises'
import { invalid } from '../core/errors.ts'
import { createAdapter, type ReplyReport, type Wire } from './adapter.ts'
import { createAnthropic } from './anthropic.ts'
import {
  type DefaultModel,
  makerOf,
  PROVIDERS,
  type ProviderName,
  readDefaultModel,
} from './defaultModel.ts'
import { createEcho } from './echo.ts'
import type { ModelAdapter, ModelChoice, Models } from './model.ts'
import { createOpenAI } from './openai.ts'
import type { Patience } from './persist.ts'
import { createTransport, type Transport } from './transport.ts'

/** The part of the configuration that is about models. */
export interface ModelsConfig {
  readonly ANTHROPIC_API_KEY?: string
  readonly ANTHROPIC_BASE_URL?: string
  readonly OPENAI_API_KEY?: string
  readonly OPENAI_BASE_URL?: string
  readonly DEFAULT_MODEL?: string
  readonly MODEL_TIMEOUT_MS: number
  readonly MODEL_REPLY_TIMEOUT_MS: number
  readonly MODEL_CONTEXT_TOKENS: number
}

export interface ModelsOptions {
  readonly userAgent: string
  readonly now: () => number
  readonly random: () => number
  readonly onReply: (report: ReplyReport) => void
  /** Between two attempts; by default as long as said. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/** Every adapter there is: its wire, or undefined where the configuration has nothing for it. */
const wires = {
  anthropic: (config, fetch) =>
    config.ANTHROPIC_API_KEY === undefined
      ? undefined
      : createAnthropic({
          apiKey: config.ANTHROPIC_API_KEY,
          baseUrl: config.ANTHROPIC_BASE_URL,
          ...common(config, fetch),
        }),
  // Servers of one's own need no key.
  openai: (config, fetch) =>
    config.OPENAI_API_KEY === undefined && config.OPENAI_BASE_URL === undefined
      ? undefined
      : createOpenAI({
          apiKey: config.OPENAI_API_KEY,
          baseUrl: config.OPENAI_BASE_URL,
          ...common(config, fetch),
        }),
  echo: () => createEcho(),
} as const satisfies Record<
  ProviderName,
  (config: ModelsConfig, fetch: Transport['fetch']) => Wire | undefined
>

function common(config: ModelsConfig, fetch: Transport['fetch']) {
  return {
    contextTokens: config.MODEL_CONTEXT_TOKENS,
    timeoutMs: config.MODEL_REPLY_TIMEOUT_MS,
    fetch,
  }
}

/** The models that the configuration names, on one pool of connections. */
export function createModels(
  config: ModelsConfig,
  { now, onReply, random, userAgent, wait = pause }: ModelsOptions,
): Models & { close(): Promise<void> } {
  const patience: Patience = {
    firstMs: config.MODEL_TIMEOUT_MS,
    wholeMs: Math.max(config.MODEL_TIMEOUT_MS, config.MODEL_REPLY_TIMEOUT_MS),
  }
  const transport = createTransport({ timeoutMs: config.MODEL_TIMEOUT_MS, userAgent })
  const adapters = new Map<string, ModelAdapter>()
  for (const name of PROVIDERS) {
    const wire = wires[name](config, transport.fetch)
    if (wire) adapters.set(name, createAdapter(wire, { patience, now, random, wait, onReply }))
  }
  return {
    choose: (choice) => chooseFrom(adapters, defaultOf(config, adapters), choice),
    close: () => transport.close(),
  }
}

const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal })

function defaultOf(
  config: ModelsConfig,
  adapters: ReadonlyMap<string, ModelAdapter>,
): DefaultModel {
  if (config.DEFAULT_MODEL !== undefined) return readDefaultModel(config.DEFAULT_MODEL)
  const provider = PROVIDERS.find((name) => adapters.has(name)) ?? 'echo'
  return { provider, model: undefined }
}

function chooseFrom(
  adapters: ReadonlyMap<string, ModelAdapter>,
  preset: DefaultModel,
  choice: ModelChoice,
): ReturnType<Models['choose']> {
  const provider = choice.provider ?? providerOf(adapters, preset, choice.model)
  const adapter = adapters.get(provider)
  const configured = [...adapters.keys()].join(', ')
  if (!adapter) {
    const known = PROVIDERS.some((name) => name === provider)
    throw invalid(
      '/model_config/provider',
      `${known ? `${provider} is not configured` : 'no such provider'}; configured: ${configured}`,
    )
  }
  const ofPreset = provider === preset.provider ? preset.model : undefined
  const model = choice.model ?? ofPreset ?? adapter.defaultModel
  if (model === undefined) {
    throw invalid('/model_config/model', `name a model of ${provider}, as it has no default`)
  }
  if (provider === 'echo' && model !== 'echo') {
    throw invalid('/model_config/model', `echo is the only one of echo; configured: ${configured}`)
  }
  return { adapter, model }
}

/** Who is meant by a model's name alone. */
function providerOf(
  adapters: ReadonlyMap<string, ModelAdapter>,
  preset: DefaultModel,
  model: string | undefined,
): string {
  if (model === undefined) return preset.provider
  const maker = makerOf(model)
  if (maker !== undefined && adapters.has(maker)) return maker
  // Of any other name nobody but a server of chat completions knows.
  return preset.provider === 'echo' && adapters.has('openai') ? 'openai' : preset.provider
}
