import type { Span } from '../core/trace.ts'
import type { ModelEnd, ModelRequest } from './model.ts'

/**
 * One reply of a model as part of a trace (opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans):
 * whom it was asked of and what it took, never a word of what was said.
 */
export function openReply(
  parent: Span | undefined,
  provider: string,
  { maxTokens, model, temperature }: ModelRequest,
): Span | undefined {
  return parent?.child(`chat ${model}`, 'client', {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': model,
    'gen_ai.request.max_tokens': maxTokens,
    'gen_ai.request.temperature': temperature,
  })
}

/** @param outcome `ok`, or what it failed with */
export function closeReply(
  span: Span | undefined,
  outcome: string,
  retries: number,
  end: ModelEnd | undefined,
): void {
  if (!span) return
  span.set({
    'gen_ai.response.model': end?.model,
    'gen_ai.usage.input_tokens': end?.usage.input,
    'gen_ai.usage.output_tokens': end?.usage.output,
    'model.retries': retries,
  })
  if (outcome !== 'ok') span.fail(outcome)
  span.end()
}
