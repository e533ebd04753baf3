/** Of the needles of a scene, those that an answer of so many tokens has. */
import { decode, encode } from 'gpt-tokenizer/encoding/o200k_base'
import type { Client } from '../../test/support/app.ts'
import type { Scene } from './scenes.ts'

export interface Recall {
  readonly scene: string
  /** Tokens that `content` may have. */
  readonly budget: number
  readonly needles: number
  /** Found in the answer to the question about them. */
  readonly found: number
  /** Found in as many tokens from the start of the same content. */
  readonly truncated: number
  /** Questions whose needle was not in the answer. */
  readonly missed: readonly string[]
}

/** Asks a running service one question for each needle and budget. */
export async function recallOf(
  service: Pick<Client, 'context'>,
  { name, needles, request }: Scene,
  budgets: readonly number[],
): Promise<Recall[]> {
  const whole = encode(textOf(await service.context(request)), { disallowedSpecial: new Set() })
  const recalls: Recall[] = []
  for (const budget of budgets) {
    const start = decode(whole.slice(0, budget))
    const missed: string[] = []
    for (const { query, text } of needles) {
      const answer = await service.context({ ...request, query, max_tokens: budget })
      if (!has(textOf(answer), text)) missed.push(query)
    }
    recalls.push({
      scene: name,
      budget,
      needles: needles.length,
      found: needles.length - missed.length,
      truncated: needles.filter(({ text }) => has(start, text)).length,
      missed,
    })
  }
  return recalls
}

const textOf = ({ context }: { context: readonly { content: string }[] }) =>
  context.map(({ content }) => content).join('\n\n')

/** Marks before lines and breaks between them are not part of what is said. */
function has(content: string, text: string): boolean {
  return plain(content).includes(plain(text))
}

const plain = (text: string) =>
  text.replaceAll(/^(?:> ?|[+ -](?!--)|\d+\t)/gm, '').replaceAll(/\s+/g, ' ')

/** Found of all needles of these, from 0 to 1. */
export function shareOf(recalls: readonly Recall[], key: 'found' | 'truncated'): number {
  const sum = (of: (recall: Recall) => number) => recalls.reduce((all, one) => all + of(one), 0)
  return sum((recall) => recall[key]) / sum(({ needles }) => needles)
}
