import { type TObject, Type } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import type {
  Answer,
  CachePolicy,
  Draft,
  FetchContext,
  Kept,
  Piece,
  Provider,
} from '../../core/provider.ts'
import { oneLine } from '../../core/quote.ts'
import { blockFields, type Omission } from '../../core/schemas.ts'
import { createPace } from '../../core/tokens.ts'
import { createCleaner } from '../safe/cleaner.ts'
import { isPolicy } from './members.ts'
import { answerShape, draftShape, omissionsShape } from './shapes.ts'

/** Fields of a block that the service makes itself. */
const OURS = new Set(['type', ...Object.keys(blockFields)])

type Fields = Record<string, unknown>

/** Checks of the fields of each block that a type may answer, by the block's type. */
export type BlockChecks = ReadonlyMap<string, TypeCheck<TObject>>

export function blockChecks({ alsoBlocks = {}, block, blockType }: Provider): BlockChecks {
  const own = ({ properties }: TObject) =>
    Type.Object(Object.fromEntries(Object.entries(properties).filter(([name]) => !OURS.has(name))))
  const all: Readonly<Record<string, TObject>> = { [blockType]: block, ...alsoBlocks }
  return new Map(
    Object.entries(all).map(([type, schema]) => [type, TypeCompiler.Compile(own(schema))]),
  )
}

/** @throws TypeError where it is not what the contract says */
export function soundAnswer(given: unknown): Answer {
  must(answerShape, given, 'the answer')
  const answer = given as Answer
  if (answer.cache !== undefined && typeof answer.cache !== 'function')
    throw new TypeError('cache of the answer must be a function')
  return answer
}

/** @throws TypeError where it is not what the contract says */
export function soundPolicy(given: unknown): CachePolicy | undefined {
  if (given === undefined || isPolicy(given)) return given as CachePolicy | undefined
  throw new TypeError('cache of the answer must give freshFor, staleFor and keepFor')
}

/** @throws TypeError where they are not what the contract says */
export function soundOmissions(given: unknown): Omission[] {
  must(omissionsShape, given, 'the omissions')
  return createCleaner().data(plain(given) as Omission[])
}

/** Cleans as the context does that a draft was read with. */
export type CleanOf = (draft: Draft) => FetchContext['clean']

/**
 * The draft with its texts cleaned, and with what it is asked for later checked.
 * @throws TypeError where it is not what the contract says, then and when it is asked
 */
export async function soundDraft(
  given: unknown,
  checks: BlockChecks,
  blockType: string,
  cleanOf: CleanOf,
): Promise<Draft> {
  must(draftShape, given, 'a block')
  const draft = given as Draft
  const check = checks.get(draft.type ?? blockType)
  if (!check) throw new TypeError(`type ${draft.type} of a block is not one that was promised`)
  const clean = cleanOf(draft)
  const line = (text: string) => clean(oneLine(text), 'line')
  const sources = new Map<Piece, Piece>()
  const pace = createPace()
  for (const piece of draft.pieces) {
    sources.set(cleanPiece(clean, piece), piece)
    await (pace() ?? null)
  }
  const sourceOf = (piece: Piece) => sources.get(piece) ?? piece
  return {
    ...draft,
    id: line(draft.id),
    title: line(draft.title),
    url: line(draft.url),
    head: clean(draft.head, 'markdown'),
    pieces: [...sources.keys()],
    fields(kept: readonly Kept[]) {
      const asked = draft.fields(kept.map(({ piece, text }) => ({ piece: sourceOf(piece), text })))
      const fields = plain(asked) as Fields
      must(check, fields, 'the fields of a block')
      return cleanFields(fields)
    },
    omit: (dropped, cut, reason) =>
      soundOmissions(draft.omit(dropped.map(sourceOf), cut.map(sourceOf), reason)),
  }
}

function cleanPiece(clean: FetchContext['clean'], piece: Piece): Piece {
  const { further, heading, marked, repeats, text } = piece
  const line = (own: string) => clean(oneLine(own), 'line')
  return {
    ...piece,
    // Marks stand at the beginnings of lines: each line stays in its place.
    text: clean(text, marked ? 'code' : 'markdown'),
    ...(heading === undefined ? {} : { heading: line(heading) }),
    ...(further === undefined ? {} : { further: line(further) }),
    ...(repeats === undefined
      ? {}
      : {
          repeats: {
            shows: repeats.shows,
            heading: line(repeats.heading),
            text: clean(repeats.text, marked ? 'code' : 'markdown'),
          },
        }),
  }
}

/** What is removed here is counted where nothing is counted already: most fields repeat a piece. */
function cleanFields(fields: Fields): Fields {
  const cleaner = createCleaner()
  const own = Object.entries(cleaner.data(fields)).filter(([name]) => !OURS.has(name))
  const removed = cleaner.removed()
  return { ...Object.fromEntries(own), ...(Object.keys(removed).length > 0 && { removed }) }
}

/** As JSON holds it. @throws TypeError for what JSON cannot hold */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null')
}

function must(check: TypeCheck<TObject> | typeof omissionsShape, value: unknown, what: string) {
  const first = check.Check(value) ? undefined : check.Errors(value).First()
  if (first) throw new TypeError(`${what}${first.path}: ${first.message}`)
}
