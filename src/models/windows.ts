/** Tokens that prompt and reply may have together, by the start of the model's name: the first that fits. */
type Windows = readonly (readonly [prefix: string, tokens: number])[]

/** platform.claude.com/docs/en/about-claude/models/overview */
export const claudeWindows: Windows = [
  ['claude-opus-4-6', 1_000_000],
  ['claude-opus-4-7', 1_000_000],
  ['claude-opus-4-8', 1_000_000],
  ['claude-sonnet-4-6', 1_000_000],
  ['claude-opus-5', 1_000_000],
  ['claude-sonnet-5', 1_000_000],
  ['claude-fable-5', 1_000_000],
  ['claude-mythos-5', 1_000_000],
  ['claude-', 200_000],
]

/** developers.openai.com/api/docs/models; where the input has a limit of its own, that one. */
export const gptWindows: Windows = [
  ['gpt-6', 922_000],
  ['gpt-5', 272_000],
  ['gpt-4.1', 1_047_576],
  ['gpt-4o', 128_000],
  ['chatgpt-4o', 128_000],
  ['gpt-4-turbo', 128_000],
  ['gpt-4', 8_192],
  ['gpt-3.5', 16_385],
  ['o1-mini', 128_000],
  ['o1-preview', 128_000],
  ['o1', 200_000],
  ['o3', 200_000],
  ['o4', 200_000],
]

/** The family that a model belongs to: the start of its name in the table. */
export function familyOf(windows: Windows, model: string): string | undefined {
  return windows.find(([prefix]) => model.startsWith(prefix))?.[0]
}

export function windowOf(windows: Windows, model: string): number | undefined {
  return windows.find(([prefix]) => model.startsWith(prefix))?.[1]
}
