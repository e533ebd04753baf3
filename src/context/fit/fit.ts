import type { Draft, Kept, Piece } from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import type { Omission } from '../../core/schemas.ts'
import { countTokens, measureTokens, type Pace } from '../../core/tokens.ts'
import { isTrusted, leastTrust, type Trust } from '../../core/trust.ts'
import { type Candidate, candidatesOf, inOrder } from './candidates.ts'
import { type Chosen, choose } from './choose.ts'
import { cutLine } from './cut.ts'
import { cutHead, fieldsWithin, type Head } from './head.ts'
import {
  isFurther,
  type KeptPiece,
  renderContent,
  renderHead,
  renderPiece,
  shownBy,
} from './render.ts'
import type { Stretch } from './segments.ts'

export interface FitOptions {
  /** Tokens that the content of all blocks together may have. */
  readonly maxTokens: number | undefined
  readonly query: string | undefined
  readonly minTrust: Trust | undefined
}

/** The request that brings all of it again, for what has none of its own. */
type Again = Omission['next']

/** A block that fits. */
export interface Fitted {
  readonly draft: Draft
  readonly title: string
  readonly content: string
  readonly tokens: number
  /** The lowest trust of those whose words are in it. */
  readonly trust: Trust
  readonly fields: Record<string, unknown>
}

export interface Fit {
  readonly blocks: readonly Fitted[]
  readonly omitted: readonly Omission[]
  /** Names of what it shows whole: see `Piece.shows`. */
  readonly shown: ReadonlySet<string>
}

interface Trusted {
  readonly draft: Draft
  readonly title: string
  readonly pieces: readonly Piece[]
  readonly omitted: readonly Omission[]
}

/** Of the budget, what a title may take, and what one text may take before others had their turn. */
const TITLE_SHARE = 1 / 4
const TEXT_SHARE = 1 / 2
const WITHHELD = '(title withheld: its author is less trusted than asked for)'

/**
 * Fits blocks into one budget: the most relevant texts are kept, or the highest ranked where there is
 * no query, wherever they are; what is kept stays in reading order. Pauses as `pace` says.
 * @param known names of what blocks before these show whole
 * @param again fetches what a provider has no request for: the first lines of a block
 */
export async function fitBlocks(
  drafts: readonly Draft[],
  options: FitOptions,
  pace: Pace,
  known: ReadonlySet<string> = new Set(),
  again?: Again,
): Promise<Fit> {
  const trusted = drafts.map((draft) => trustedPart(draft, options))
  const { maxTokens } = options
  const candidates = maxTokens === undefined ? [] : await candidatesOf(trusted, options.query, pace)
  const estimate = candidates.reduce((sum, { cost }) => sum + cost, 0)
  // The parts of what fits seldom have a tenth more tokens than the whole.
  if (maxTokens === undefined || estimate <= maxTokens * 1.1) {
    const whole = await fitWhole(trusted, known, pace)
    if (maxTokens === undefined || tokensOf(whole.blocks) <= maxTokens) return whole
  }
  return fitTight(trusted, candidates, maxTokens, { again, query: options.query }, pace)
}

function trustedPart(draft: Draft, { maxTokens, minTrust }: FitOptions): Trusted {
  const { by, pieces } = draft
  const trusts = (source: Piece['by']) => minTrust === undefined || isTrusted(source, minTrust)
  const known = trusts(by) ? oneLine(draft.title) : WITHHELD
  const title = maxTokens === undefined ? known : cutLine(known, maxTokens * TITLE_SHARE)
  const withheld = pieces.filter((piece) => !trusts(piece.by))
  return {
    draft,
    title,
    pieces: withheld.length === 0 ? pieces : pieces.filter((piece) => trusts(piece.by)),
    omitted: withheld.length === 0 ? [] : draft.omit(withheld, [], 'min_trust'),
  }
}

async function fitWhole(
  parts: readonly Trusted[],
  known: ReadonlySet<string>,
  pace: Pace,
): Promise<Fit> {
  const blocks: Fitted[] = []
  const shown = new Set(known)
  for (const { draft, title, pieces } of parts) {
    const kept = pieces.map((piece) => ({
      piece,
      stretches: [{ start: 0, end: piece.text.length }],
    }))
    for (const name of shownBy(kept)) shown.add(name)
    const cut = { shown, lost: () => 0 }
    const head = renderHead(draft, title)
    blocks.push(await finish(draft, title, { head, whole: head }, kept, cut, pace))
  }
  return withOmissions(blocks, parts, shown)
}

async function fitTight(
  parts: readonly Trusted[],
  candidates: readonly Candidate[],
  budget: number,
  { again, query }: { readonly again: Again; readonly query: string | undefined },
  pace: Pace,
): Promise<Fit> {
  const order = await inOrder(candidates, query, budget * TEXT_SHARE, pace)
  const heads = new Map(parts.map(({ draft, title }) => [draft, renderHead(draft, title)] as const))
  const headCosts = new Map([...heads].map(([draft, head]) => [draft, countTokens(head)]))
  const first = parts[0]?.draft
  const lost = createLostTokens(candidates)

  // Tokens are not quite additive over a join, so a try that overshoots is made again, tighter.
  for (let allowance = budget; ; ) {
    const firstHead = cutHead(first ? (heads.get(first) ?? '') : '', Math.max(0, allowance))
    const left = allowance - countTokens(firstHead.text)
    const chosen = await choose(order, left, first, headCosts, pace)
    const blocks: Fitted[] = []
    const shown = new Set<string>()
    for (const { draft, title, pieces } of parts) {
      if (!chosen.drafts.has(draft)) continue
      const whole = heads.get(draft) ?? ''
      const head = draft === first ? firstHead.text : whole
      const kept = keptOf(pieces, chosen)
      for (const name of shownBy(kept)) shown.add(name)
      blocks.push(await finish(draft, title, { head, whole }, kept, { shown, lost }, pace))
    }
    const tokens = tokensOf(blocks)
    if (tokens <= budget || allowance <= 0) {
      const omitted = omissionsOf(parts, chosen, again)
      return withOmissions(blocks, parts, shown, [
        ...omitted,
        ...factsOmission(firstHead, omitted, again),
      ])
    }
    allowance -= Math.max(1, tokens - budget)
  }
}

function keptOf(pieces: readonly Piece[], { stretches }: Chosen): KeptPiece[] {
  return pieces.flatMap((piece) => {
    const kept = stretches.get(piece)
    return kept ? [{ piece, stretches: kept }] : []
  })
}

interface Cut {
  /** Names of what is shown whole, so far. */
  readonly shown: ReadonlySet<string>
  /** Tokens of what was left out of a piece. */
  lost(piece: Piece, stretch: Stretch): number
}

async function finish(
  draft: Draft,
  title: string,
  { head, whole }: { readonly head: string; readonly whole: string },
  pieces: readonly KeptPiece[],
  { lost, shown }: Cut,
  pace: Pace,
): Promise<Fitted> {
  const rendered: (ReturnType<typeof renderPiece> & { isFurther: boolean })[] = []
  for (const [index, kept] of pieces.entries()) {
    const { piece } = kept
    const standing = {
      isFurther: isFurther(piece, pieces[index - 1]?.piece),
      isRepeated: piece.repeats !== undefined && shown.has(piece.repeats.shows),
    }
    rendered.push({ ...standing, ...renderPiece(kept, standing, lost) })
    const pause = pace()
    if (pause) await pause
  }
  const content = renderContent(head, rendered)
  const kept: Kept[] = pieces.map(({ piece }, index) => ({
    piece,
    text: rendered[index]?.text ?? '',
  }))
  const tokens = await measureTokens(content, pace)
  await (pace() ?? null)
  return {
    draft,
    title,
    content,
    tokens,
    trust: leastTrust([
      ...(title === WITHHELD ? [] : [draft.by]),
      ...kept.map(({ piece }) => piece.by),
    ]),
    fields: fieldsWithin(draft.fields(kept), draft, whole, { content, title }),
  }
}

/** Tokens of a stretch that was left out, from the counts of the candidates. */
function createLostTokens(candidates: readonly Candidate[]) {
  const byPiece = Map.groupBy(candidates, ({ piece }) => piece)
  return (piece: Piece, { start, end }: Stretch): number => {
    const own = byPiece.get(piece) ?? []
    let tokens = 0
    for (let at = firstEndingAfter(own, start); at < own.length; at += 1) {
      const { cost, stretch } = own[at] as Candidate
      if (stretch.start >= end) break
      const from = Math.max(start, stretch.start)
      const to = Math.min(end, stretch.end)
      const all = from === stretch.start && to === stretch.end
      tokens += all ? cost : countTokens(piece.text.slice(from, to))
    }
    return tokens
  }
}

/** Of the stretches of one piece, which are in order. */
function firstEndingAfter(own: readonly Candidate[], place: number): number {
  let low = 0
  let high = own.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((own[middle]?.stretch.end ?? 0) > place) high = middle
    else low = middle + 1
  }
  return low
}

function omissionsOf(
  parts: readonly Trusted[],
  { drafts, stretches }: Chosen,
  again: Again,
): Omission[] {
  return parts.flatMap(({ draft, pieces }) => {
    if (pieces.length === 0 && !drafts.has(draft)) {
      const what = draft.type ?? 'block'
      return [{ what, count: 1, reason: 'max_tokens', ...(again && { next: again }) }]
    }
    const dropped = pieces.filter((piece) => !stretches.has(piece))
    const cut = pieces.filter((piece) => isCut(piece, stretches.get(piece)))
    return draft.omit(dropped, cut, 'max_tokens')
  })
}

/** Any answer of the type has the first lines: where one is asked for anyway, it brings them too. */
function factsOmission({ lost }: Head, omitted: readonly Omission[], again: Again): Omission[] {
  if (lost === 0) return []
  const same = omitted.find(({ next }) => next && next.context_type === again?.context_type)
  const next = same?.next ?? again
  return [{ what: 'facts', count: lost, reason: 'max_tokens', ...(next && { next }) }]
}

function isCut({ text }: Piece, stretches: readonly Stretch[] | undefined): boolean {
  if (!stretches) return false
  return stretches.length > 1 || stretches[0]?.start !== 0 || stretches[0].end !== text.length
}

function tokensOf(blocks: readonly Fitted[]): number {
  return blocks.reduce((sum, { tokens }) => sum + tokens, 0)
}

function withOmissions(
  blocks: readonly Fitted[],
  parts: readonly Trusted[],
  shown: ReadonlySet<string>,
  omitted: readonly Omission[] = [],
): Fit {
  return { blocks, shown, omitted: [...omitted, ...parts.flatMap((part) => part.omitted)] }
}
