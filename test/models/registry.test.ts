import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'
import type { ModelChoice } from '../../src/models/model.ts'
import type { ModelsConfig } from '../../src/models/registry.ts'
import { createAsking, KEY } from '../support/models/ask.ts'

const CLAUDE = { ANTHROPIC_API_KEY: KEY }
const GPT = { OPENAI_API_KEY: KEY }
const LOCAL = { OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1' }

async function chosen(config: Partial<ModelsConfig>, choice: ModelChoice = {}) {
  await using it = createAsking({ config })
  const { adapter, model } = it.models.choose(choice)
  return `${adapter.provider} ${model}`
}

describe('choose', () => {
  it.each<[string, Partial<ModelsConfig>, ModelChoice, string]>([
    ['nothing configured', {}, {}, 'echo echo'],
    ['a key of Anthropic', CLAUDE, {}, 'anthropic claude-sonnet-5-5'],
    ['a key of OpenAI', GPT, {}, 'openai gpt-6.1-terra'],
    ['both', { ...GPT, ...CLAUDE }, {}, 'anthropic claude-sonnet-5-5'],
    [
      'a default provider',
      { ...GPT, ...CLAUDE, DEFAULT_MODEL: 'openai' },
      {},
      'openai gpt-6.1-terra',
    ],
    ['a default model', { ...GPT, DEFAULT_MODEL: 'gpt-5-mini' }, {}, 'openai gpt-5-mini'],
    ['a default of both', { ...CLAUDE, DEFAULT_MODEL: 'anthropic/glm-5' }, {}, 'anthropic glm-5'],
    ['a default with slashes', { ...LOCAL, DEFAULT_MODEL: 'org/llama' }, {}, 'openai org/llama'],
    [
      'a default with its provider’s name in it',
      { ...LOCAL, DEFAULT_MODEL: 'openai/openai/gpt-oss-20b' },
      {},
      'openai openai/gpt-oss-20b',
    ],
    ['echo as the default', { ...CLAUDE, DEFAULT_MODEL: 'echo' }, {}, 'echo echo'],
    ['a provider', { ...GPT, ...CLAUDE }, { provider: 'openai' }, 'openai gpt-6.1-terra'],
    [
      'the provider of the default',
      { ...CLAUDE, DEFAULT_MODEL: 'claude-opus-5-5' },
      { provider: 'anthropic' },
      'anthropic claude-opus-5-5',
    ],
    [
      'another provider than the default’s',
      { ...CLAUDE, ...GPT, DEFAULT_MODEL: 'claude-opus-5-5' },
      { provider: 'openai' },
      'openai gpt-6.1-terra',
    ],
    ['a model by its maker', { ...CLAUDE, ...GPT }, { model: 'gpt-4o' }, 'openai gpt-4o'],
    ['a model of the default’s', { ...CLAUDE, ...GPT }, { model: 'x' }, 'anthropic x'],
    ['a model of a gateway', LOCAL, { model: 'claude-opus-5' }, 'openai claude-opus-5'],
    ['echo by its name', CLAUDE, { model: 'echo' }, 'echo echo'],
    ['both', { ...CLAUDE, ...GPT }, { provider: 'anthropic', model: 'gpt-4o' }, 'anthropic gpt-4o'],
  ])('%s', async (_, config, choice, expected) => {
    expect(await chosen(config, choice)).toBe(expected)
  })

  it.each<[string, Partial<ModelsConfig>, ModelChoice, string, RegExp]>([
    ['an unknown one', CLAUDE, { provider: 'gemini' }, '/provider', /no such.*anthropic, echo/],
    [
      'one of no key',
      GPT,
      { provider: 'anthropic' },
      '/provider',
      /anthropic is not.*openai, echo/,
    ],
    ['one that all have', GPT, { provider: 'toString' }, '/provider', /no such provider/],
    ['a model without a key', {}, { model: 'gpt-4o' }, '/model', /configured: echo/],
    ['a model of echo', CLAUDE, { provider: 'echo', model: 'x' }, '/model', /anthropic, echo/],
  ])('%s is refused with those that there are', async (_, config, choice, pointer, detail) => {
    await using it = createAsking({ config })
    expect(() => it.models.choose(choice)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        statusCode: 400,
        detail: expect.stringMatching(detail),
        errors: [expect.objectContaining({ pointer: `/model_config${pointer}` })],
      }),
    )
  })
})

describe('the configuration', () => {
  const faultsOf = (env: Record<string, string>) => {
    try {
      readConfig({ NODE_ENV: 'production', ...env })
    } catch (error) {
      return (error as { faults: readonly string[] }).faults
    }
    return []
  }

  it('is that of the service', async () => {
    const env = { ANTHROPIC_API_KEY: KEY, DEFAULT_MODEL: 'claude-opus-5-5' }
    expect(await chosen(readConfig({ NODE_ENV: 'production', ...env }))).toBe(
      'anthropic claude-opus-5-5',
    )
  })

  it.each([
    [{ DEFAULT_MODEL: 'claude-opus-5-5' }, /^DEFAULT_MODEL: .*ANTHROPIC_API_KEY/],
    [{ DEFAULT_MODEL: 'anthropic', OPENAI_API_KEY: KEY }, /^DEFAULT_MODEL: .*ANTHROPIC_API_KEY/],
    [{ DEFAULT_MODEL: 'llama3.2', ANTHROPIC_API_KEY: KEY }, /^DEFAULT_MODEL: .*OPENAI_BASE_URL/],
    [{ DEFAULT_MODEL: 'a model' }, /^DEFAULT_MODEL: does not have the right form/],
    [{ OPENAI_BASE_URL: `http://me:${KEY}@host/v1` }, /^OPENAI_BASE_URL: /],
    [{ ANTHROPIC_API_KEY: `${KEY}\n${KEY}` }, /^ANTHROPIC_API_KEY: /],
    [{ MODEL_TIMEOUT_MS: '1' }, /^MODEL_TIMEOUT_MS: .*from 100/],
  ])('%j is told before the start, without the value', (env, fault) => {
    const faults = faultsOf(env)
    expect(faults).toEqual([expect.stringMatching(fault)])
    expect(faults[0]).not.toContain(KEY)
  })

  it.each<Record<string, string>>([
    { DEFAULT_MODEL: 'echo' },
    { DEFAULT_MODEL: 'llama3.2', OPENAI_BASE_URL: 'http://localhost:11434/v1' },
    { DEFAULT_MODEL: 'openai/gpt-5', OPENAI_API_KEY: KEY },
  ])('%j is right', (env) => {
    expect(faultsOf(env)).toEqual([])
  })
})
