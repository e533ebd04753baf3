import { hash } from 'node:crypto'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { oneLine, quote } from '../../core/quote.ts'

const OrNull = <T extends TSchema>(schema: T, description: string) =>
  Type.Optional(Type.Union([schema, Type.Null()], { description }))
const Text = (description: string) => OrNull(Type.String(), `a text: ${description}`)
const Count = (description: string) =>
  OrNull(Type.Union([Type.Integer(), Type.String()]), `a number: ${description}`)
const List = (description: string) => OrNull(Type.Array(Type.Unknown()), `a list: ${description}`)

/** What an item is as a caller sends it. */
export const ItemInput = Type.Object(
  {
    type: Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'Kind of the item: `code`, `chat_message`, `document`, `github_issue`, any',
    }),
    content: Type.Unknown({ description: 'Text, or any JSON' }),
    metadata: OrNull(
      Type.Record(Type.String(), Type.Unknown()),
      'an object of anything: its `id`, else a `uri`, `url` or `path`, says what the item is about, so that a newer version replaces the older one',
    ),
    issue_id: Count('the number of the issue'),
    pr_id: Count('the number of the pull request'),
    title: Text('the title of the issue or pull request'),
    body: Text('what it says'),
    state: Text('`open` or `closed`'),
    labels: List('names of its labels'),
    url: Text('the address of its page'),
    files_changed: List('paths of the files that it changes'),
  },
  { $id: 'SessionItem', title: 'Item', additionalProperties: false },
)
export type ItemInput = Static<typeof ItemInput>

/** An item as it is kept. */
export type Item = ItemInput & {
  /** Of what a model is shown of it (o200k_base). */
  readonly tokens: number
  /** Name of the source that it was fetched from; absent where a caller sent it. */
  readonly source?: string
}

const KEY_LENGTH = 22

/** Names what an item is about, in a form that fits into any store. */
export function keyOf(...about: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(about), 'base64url').slice(0, KEY_LENGTH)
}

/** Which part of a thing an item shows: two parts of one file are two items. */
const PARTS = ['repository', 'repo', 'ref', 'sha', 'start_line', 'end_line', 'lines', 'range']

/** Items with equal keys are versions of one. Without anything that names it, an item is what it says. */
export function identityOf(input: ItemInput): string {
  const { type, content, metadata, url, ...fields } = input
  const known: Readonly<Record<string, unknown>> = metadata ?? {}
  if (isName(known.id)) return keyOf(type, String(known.id))
  const place = [url, known.uri, known.url, known.path].find(isName)
  if (place === undefined) return keyOf(type, content, known, fields)
  const part = PARTS.map((name) => known[name] ?? null)
  return part.every((value) => value === null) ? keyOf(type, place) : keyOf(type, place, ...part)
}

function isName(value: unknown): value is string | number {
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
}

const LABEL_LENGTH = 100

/** A few words for an item, on one line: others' words, as its content is. */
export function labelOf(item: ItemInput): string {
  const { metadata } = item
  const names = [item.title, metadata?.title, metadata?.name, metadata?.path, metadata?.uri]
  const name = [...names, item.url, metadata?.id].find(isName)
  const label = oneLine(String(name ?? textOf(item).slice(0, 1_000)))
  return label.length > LABEL_LENGTH ? `${label.slice(0, LABEL_LENGTH).trimEnd()} …` : label
}

/** What a model is shown of an item, as yet unmarked. */
export function textOf(item: ItemInput & { readonly source?: string }): string {
  const { content } = item
  const text = typeof content === 'string' ? content : (JSON.stringify(content, null, 1) ?? '')
  // What the service fetched says all of this in its content.
  if (item.source !== undefined) return text
  const about = { ...scalarsOf(item.metadata ?? {}), ...factsOf(item) }
  const lines = Object.entries(about).map(([name, value]) => `${name}: ${oneLine(String(value))}`)
  const body = item.body && !text.includes(item.body) ? [item.body] : []
  return [...lines, ...body, ...(text === '' ? [] : [text])].join('\n')
}

function scalarsOf(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(metadata).filter(([, value]) => /^(string|number|boolean)$/.test(typeof value)),
  )
}

function factsOf({ issue_id, pr_id, title, state, labels, url, files_changed }: ItemInput) {
  const list = (values: readonly unknown[] | null | undefined) =>
    (values ?? [])
      .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
      .join(', ')
  const facts = {
    issue_id,
    pr_id,
    title,
    state,
    labels: list(labels),
    url,
    files_changed: list(files_changed),
  }
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value != null && value !== ''),
  )
}

/** What a model is shown of an item: marked, so that no line of it passes for instructions. */
export function shownOf(item: Item | (ItemInput & { readonly source?: string })): string {
  return quote(textOf(item))
}
