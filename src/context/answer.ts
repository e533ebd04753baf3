import { createHash } from 'node:crypto'
import type { Answer } from '../core/provider.ts'
import type { Omission } from '../core/schemas.ts'
import { fitDraft } from './fit.ts'
import type { ContextRequest } from './request.ts'

/** A block as it is sent. */
interface Block {
  readonly type: string
  readonly content: string
  readonly tokens: number
  readonly [field: string]: unknown
}

/**
 * Fits the answer into the budget and serialises it, once. Equal content gives equal bytes; what
 * differs from call to call belongs into headers.
 */
export function buildAnswer(
  request: ContextRequest,
  answer: Answer,
): { contextId: string; body: Buffer } {
  const context: Block[] = []
  const omitted: Omission[] = [...answer.omitted]
  let left = request.maxTokens ?? Number.POSITIVE_INFINITY
  answer.blocks.forEach((draft, index) => {
    const share = Math.floor(left / (answer.blocks.length - index))
    const fitted = fitDraft(draft, share, request.query)
    const { id, title, url } = draft
    const { content, tokens } = fitted
    context.push({
      type: request.provider.blockType,
      id,
      title,
      url,
      ...fitted.fields,
      content,
      tokens,
    })
    omitted.push(...fitted.omitted)
    left -= tokens
  })
  const tokens = context.reduce((sum, block) => sum + block.tokens, 0)
  const contextId = contextIdOf(request, context, omitted)
  return {
    contextId,
    body: Buffer.from(JSON.stringify({ context_id: contextId, context, tokens, omitted })),
  }
}

function contextIdOf(
  { provider, params }: ContextRequest,
  context: unknown,
  omitted: unknown,
): string {
  const digest = createHash('sha256').update(
    JSON.stringify([provider.type, params, context, omitted]),
  )
  return `mcp-${provider.type}-${digest.digest('hex').slice(0, 32)}`
}
