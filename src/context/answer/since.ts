import { isDeepStrictEqual } from 'node:util'
import type { Omission } from '../../core/schemas.ts'
import { createPace, measureTokens } from '../../core/tokens.ts'
import type { Block } from './answer.ts'

interface AnswerBody {
  readonly context_id: string
  readonly context: readonly Block[]
  readonly omitted: readonly Omission[]
}

/** The blank line between two parts of a content: no text of others holds one, as its lines are marked. */
const PARTS = '\n\n'

/**
 * What `present` has that `past` had not: blocks that are new or changed, and of their texts and lists
 * the parts and entries that are. The first part of a content, which says what it is about, stays.
 */
export async function changesSince(past: Buffer, present: Buffer): Promise<Buffer> {
  const before = JSON.parse(past.toString()) as AnswerBody
  const { context_id, context, omitted } = JSON.parse(present.toString()) as AnswerBody
  const known = new Map(before.context.map((block) => [keyOf(block), block]))
  const changed: Block[] = []
  for (const block of context) {
    const old = known.get(keyOf(block))
    if (!old) changed.push(block)
    else if (!isDeepStrictEqual(old, block)) changed.push(await changesOf(old, block))
  }
  const answer = {
    context_id,
    since: before.context_id,
    unchanged_blocks: context.length - changed.length,
    context: changed,
    tokens: changed.reduce((sum, { tokens }) => sum + tokens, 0),
    omitted,
  }
  return Buffer.from(JSON.stringify(answer))
}

const keyOf = ({ type, id }: Block) => `${type} ${id}`

async function changesOf(old: Block, block: Block): Promise<Block> {
  const entries = Object.entries(block).map(([name, value]) => [name, newIn(old[name], value)])
  const content = newParts(old.content, block.content)
  const tokens = await measureTokens(content, createPace())
  return { ...(Object.fromEntries(entries) as Block), content, tokens }
}

/** Of lists of objects the new entries; of anything else all. */
function newIn(old: unknown, value: unknown): unknown {
  if (!Array.isArray(old) || !Array.isArray(value)) return value
  if (!value.every((entry) => entry instanceof Object)) return value
  const known = new Set(old.map((entry) => JSON.stringify(entry)))
  return value.filter((entry) => !known.has(JSON.stringify(entry)))
}

function newParts(old: string, content: string): string {
  const known = new Set(old.split(PARTS))
  return content
    .split(PARTS)
    .filter((part, index) => index === 0 || !known.has(part))
    .join(PARTS)
}
