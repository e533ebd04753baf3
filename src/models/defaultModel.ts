/** The providers there are; the first of those that are configured is the default. */
export const PROVIDERS = ['anthropic', 'openai', 'echo'] as const

export type ProviderName = (typeof PROVIDERS)[number]

export interface DefaultModel {
  readonly provider: ProviderName
  /** Undefined for the provider's own default. */
  readonly model: string | undefined
}

/**
 * `DEFAULT_MODEL`: a provider, a model, or both with a slash between. Names of models have slashes
 * too (`meta-llama/Llama-3.1-8B`): only the name of a provider counts as one.
 */
export function readDefaultModel(text: string): DefaultModel {
  const [first = '', ...rest] = text.split('/')
  const provider = PROVIDERS.find((name) => name === first)
  if (provider) return { provider, model: rest.length === 0 ? undefined : rest.join('/') }
  return { provider: makerOf(text) ?? 'openai', model: text }
}

/** Who makes a model of that name; undefined for names that any server may have. */
export function makerOf(model: string): ProviderName | undefined {
  if (model.startsWith('claude-')) return 'anthropic'
  if (/^(gpt-\d|chatgpt-|o\d)/.test(model)) return 'openai'
  return model === 'echo' ? 'echo' : undefined
}
