import { countTokens } from '../core/tokens.ts'
import type { Wire } from './adapter.ts'
import type { ModelEvent, ModelRequest } from './model.ts'

/** Tokens: none of its own, so that of common models. */
const WINDOW = 128_000

/** The built-in model that is none: it says what a model would have been given, and costs nothing. */
export function createEcho(): Wire {
  return {
    provider: { name: 'echo', key: 'ANTHROPIC_API_KEY or OPENAI_API_KEY', url: 'OPENAI_BASE_URL' },
    defaultModel: 'echo',
    contextWindow: () => WINDOW,
    family: () => 'echo',
    attempt: echo,
  }
}

async function* echo(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
  const input = [request.system ?? '', ...request.messages.map(({ content }) => content)]
    .map(countTokens)
    .reduce((sum, tokens) => sum + tokens, 0)
  let output = 0
  for (const text of piecesOf(report(request, input))) {
    const tokens = countTokens(text)
    if (output + tokens > request.maxTokens) {
      yield { type: 'end', usage: { input, output }, model: 'echo', truncated: true }
      return
    }
    signal.throwIfAborted()
    output += tokens
    yield { type: 'text', text }
  }
  yield { type: 'end', usage: { input, output }, model: 'echo', truncated: false }
}

function report({ messages, system }: ModelRequest, input: number): string {
  const count = messages.length === 1 ? 'one message' : `${messages.length} messages`
  return [
    `This is the built-in echo, not a language model: it only says what it was given, ${count} of ${input} tokens in all. A model answers where ANTHROPIC_API_KEY, OPENAI_API_KEY or OPENAI_BASE_URL is set.`,
    system === undefined ? 'Instructions: none.' : `Instructions:\n\n${system}`,
    `The last message:\n\n${messages.at(-1)?.content ?? ''}`,
  ].join('\n\n')
}

/** Words with the space before them, as models send them; of unbroken runs slices. */
function piecesOf(text: string): readonly string[] {
  return text.match(/\s*\S{1,64}|\s+$/g) ?? []
}
