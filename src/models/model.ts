import type { Span } from '../core/trace.ts'

/** One message of a conversation, as every model takes it. */
export interface Message {
  readonly role: 'user' | 'assistant'
  readonly content: string
}

export interface ModelRequest {
  /** The provider's own name of the model. */
  readonly model: string
  /** Instructions of the operator or the caller; never text from GitHub. */
  readonly system: string | undefined
  /** Alternating, the first and the last by the user. */
  readonly messages: readonly Message[]
  /** Tokens of the reply at most. */
  readonly maxTokens: number
  readonly temperature: number | undefined
}

/** Tokens as the provider counts them. */
export interface ModelUsage {
  readonly input: number
  readonly output: number
}

/** The last event of a reply that is whole. */
export interface ModelEnd {
  readonly type: 'end'
  readonly usage: ModelUsage
  /** The model that answered, by the provider's word. */
  readonly model: string
  /** Whether the reply was cut short: at `maxTokens`, or by the provider's filter. */
  readonly truncated: boolean
}

export type ModelEvent = { readonly type: 'text'; readonly text: string } | ModelEnd

/** A model behind one wire protocol. */
export interface ModelAdapter {
  /** Name in `model_config.provider`. */
  readonly provider: string
  /** Undefined where only the operator of the server can know: `Models.choose` then asks for a name. */
  readonly defaultModel: string | undefined
  /** Tokens that a prompt and its reply may have together. */
  contextWindow(model: string): number
  /**
   * The reply as it comes, as a part of `span`. Ends with `end`; a stream that breaks off before that throws.
   * @throws ServiceError `model_auth`, `model_rate_limited`, `model_timeout`, `model_error`; the signal's reason
   */
  reply(request: ModelRequest, signal: AbortSignal, span?: Span): AsyncIterable<ModelEvent>
}

/** What a caller may say of the model. */
export interface ModelChoice {
  readonly provider?: string
  readonly model?: string
}

/** The models that are configured. */
export interface Models {
  /** @throws ServiceError `invalid_request` for a provider that is unknown or has no key, naming those there are */
  choose(choice: ModelChoice): { readonly adapter: ModelAdapter; readonly model: string }
}
