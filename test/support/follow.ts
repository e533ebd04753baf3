import type { App, Block, Omission } from './app.ts'

/** The blocks behind every `next`, and on to the end of the list unless it is only about `gaps` in it. */
export async function follow(
  app: App,
  omitted: readonly Omission[],
  { gaps = false } = {},
): Promise<Block[]> {
  const found: Block[] = []
  // Several omissions may be fetched by one request.
  const asked = new Set<string>()
  const ahead = [...omitted]
  for (let omission = ahead.shift(); omission; omission = ahead.shift()) {
    if (!omission.next) throw new Error(`no way to get ${omission.what}`)
    const request = JSON.stringify(omission.next)
    if (asked.has(request)) continue
    asked.add(request)
    const answer = await app.context(omission.next)
    found.push(...answer.context)
    if (!gaps) ahead.push(...answer.omitted)
    if (found.length > 1_000) throw new Error('no end in sight')
  }
  return found
}

export interface Comment {
  readonly author: string
  readonly association: string
  readonly body: string
  readonly created_at: string | null
  readonly url: string | null
}

export const commentsOf = (block: Block) => block.comments as readonly Comment[]

/** The comments' texts, block after block. */
export const textsOf = (blocks: readonly Block[]) =>
  blocks.flatMap(commentsOf).map(({ body }) => body)
