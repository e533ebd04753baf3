import { createHash } from 'node:crypto'
import type { Answer, FetchContext } from '../../core/provider.ts'
import type { Omission, Removed } from '../../core/schemas.ts'
import { createPace, type Pace } from '../../core/tokens.ts'
import type { Trust } from '../../core/trust.ts'
import { type Fit, type Fitted, fitBlocks } from '../fit/fit.ts'
import type { ContextRequest } from '../request/request.ts'

/** A block as it is sent. */
export interface Block {
  readonly type: string
  readonly id: string
  readonly title: string
  readonly url: string
  readonly trust: Trust
  readonly content: string
  readonly tokens: number
  readonly removed?: Removed
  readonly [field: string]: unknown
}

export interface BuiltAnswer {
  readonly contextId: string
  readonly body: Buffer
}

/**
 * Fits the answer into the budget and serialises it, once. Equal content gives equal bytes; what
 * differs from call to call belongs into headers.
 * @param onBlock told of each block in order, as soon as it is ready
 */
export async function buildAnswer(
  request: ContextRequest,
  fetched: { readonly answer: Answer; readonly context: FetchContext },
  onBlock: (block: Block) => void = () => {},
): Promise<BuiltAnswer> {
  const { answer } = fetched
  const pace = createPace()
  const { context, omitted } = await fitAnswer(request, answer, pace, (fitted) => {
    const context = fitted.draft.from ?? fetched.context
    const block = blockOf(request, fitted, context.removed())
    onBlock(block)
    return block
  })
  const all = [...(await answer.omitted), ...omitted]
  const tokens = context.reduce((sum, block) => sum + block.tokens, 0)
  return serialise(request, { context, omitted: all, tokens }, pace)
}

interface Serialised {
  readonly context: readonly Block[]
  readonly omitted: readonly Omission[]
  readonly tokens: number
}

const START = '{"context_id":"'
/** Of the digest that is the end of an answer's name, in hexadecimal. */
const DIGITS = 32

/**
 * Block by block: a megabyte takes some milliseconds. It is written once, into memory of its size;
 * the name, which follows from the rest, comes last.
 */
async function serialise(
  { params, provider }: ContextRequest,
  { context, omitted, tokens }: Serialised,
  pace: Pace,
): Promise<BuiltAnswer> {
  const blocks: string[] = []
  for (const block of context) {
    await (pace() ?? null)
    blocks.push(JSON.stringify(block))
  }
  const rest = JSON.stringify(omitted)
  const nameOf = (digits: string) => `mcp-${provider.type}-${digits}`
  const start = `${START}${nameOf('0'.repeat(DIGITS))}","context":[`
  const end = `],"tokens":${tokens},"omitted":${rest}}`
  const commas = Math.max(0, blocks.length - 1)
  const body = Buffer.allocUnsafeSlow(lengthOf([start, ...blocks, end]) + commas)
  const digest = createHash('sha256').update(`[${JSON.stringify([provider.type, params])},[`)
  let at = body.write(start)
  for (const [index, block] of blocks.entries()) {
    await (pace() ?? null)
    const from = at
    if (index > 0) at += body.write(',', at)
    at += body.write(block, at)
    digest.update(body.subarray(from, at))
  }
  body.write(end, at)
  const contextId = nameOf(digest.update(`],${rest}]`).digest('hex').slice(0, DIGITS))
  body.write(contextId, START.length)
  return { contextId, body }
}

const lengthOf = (texts: readonly string[]) =>
  texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)

async function fitAnswer(
  request: ContextRequest,
  answer: Answer,
  pace: Pace,
  toBlock: (fitted: Fitted) => Block,
): Promise<{ context: readonly Block[]; omitted: readonly Omission[] }> {
  const drafts = answer.blocks.map((draft) => Promise.resolve(draft))
  // One that fails while an earlier one is awaited has been heard.
  for (const draft of drafts) draft.catch(() => {})

  if (request.maxTokens !== undefined) {
    const known: ReadonlySet<string> = new Set()
    const all = await Promise.all(drafts)
    const { blocks, omitted } = await fitBlocks(all, request, pace, known, again(request, answer))
    return { context: blocks.map(toBlock), omitted }
  }
  // Without a budget no block depends on one that follows.
  const fits: Fit[] = []
  const context: Block[] = []
  for (const draft of drafts) {
    const one = await fitBlocks([await draft], request, pace, fits.at(-1)?.shown)
    fits.push(one)
    context.push(...one.blocks.map(toBlock))
  }
  return { context, omitted: fits.flatMap(({ omitted }) => omitted) }
}

/** The same request, under the repository's present name. */
function again({ params, provider }: ContextRequest, { repository }: Answer): Omission['next'] {
  return { context_type: provider.type, params: { ...params, ...('repo' in params && repository) } }
}

function blockOf({ provider }: ContextRequest, fitted: Fitted, removed: Removed): Block {
  const { draft, title, trust, fields, content, tokens } = fitted
  const { id, url } = draft
  return {
    type: draft.type ?? provider.blockType,
    id,
    title,
    url,
    trust,
    ...fields,
    content,
    tokens,
    ...(Object.keys(removed).length > 0 && { removed }),
  }
}
