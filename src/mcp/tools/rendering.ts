import { LRUCache } from 'lru-cache'
import type { Omission } from '../../core/schemas.ts'
import type { Members } from '../protocol/methods.ts'

interface Answered {
  readonly context: readonly { readonly content: string }[]
  readonly omitted: readonly Omission[]
}

/**
 * A kept answer as the result of a tool.
 * @param name names the answer, of which a newer one takes the place of an older
 */
export type Render = (name: string, body: Buffer) => Members

interface Rendered extends Members {
  readonly body: Buffer
}

/**
 * Renders answers: their text as plain text, which every client shows, and the whole answer as
 * structured content. An answer that is called for again is rendered once; its bytes stay the same.
 * @param maxBytes of rendered answers that are kept
 */
export function createRender(maxBytes: number): Render {
  const kept = new LRUCache<string, Rendered>({
    maxSize: maxBytes,
    sizeCalculation: ({ body, members }) => body.length + members.length,
  })
  return (name, body) => {
    const known = kept.get(name)
    if (known?.body === body) return known
    const rendered = { body, members: membersOf(body) }
    kept.set(name, rendered)
    return rendered
  }
}

function membersOf(body: Buffer): Buffer {
  const { context, omitted } = JSON.parse(body.toString()) as Answered
  const texts = [context.map(({ content }) => content).join('\n\n'), omissionsOf(omitted)]
  const content = texts.filter((text) => text !== '').map((text) => ({ type: 'text', text }))
  const start = `"content":${JSON.stringify(content)},"structuredContent":`
  return Buffer.concat([Buffer.from(start), body])
}

/** What was left out, in words: many clients show a model nothing but text. */
function omissionsOf(omitted: readonly Omission[]): string {
  if (omitted.length === 0) return ''
  const lines = omitted.map(({ what, count, reason, next }) => {
    const how = next ? `; call ${next.context_type} with ${JSON.stringify(next.params)}` : ''
    return `- ${what}${count === undefined ? '' : ` (${count})`}: ${reason}${how}`
  })
  return `Left out:\n${lines.join('\n')}`
}
