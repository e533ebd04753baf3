import type { Sql } from './sqliteFile.ts'
import type { Append, Commit, ItemRecord, Limits, Refusal, SessionRecord } from './store.ts'

/** A session's row while a transaction works on it. */
export interface Head {
  readonly id: string
  readonly created: number
  expires: number
  turns: number
  items: number
  bytes: number
  seq: number
  last: string
}

/** Undoes the transaction. */
export class Refused extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal)
    this.refusal = refusal
  }
}

interface Row {
  readonly key: string
  readonly version: number
  readonly json: string
  readonly before: string | null
}

const FIND = 'SELECT key, version, json, before FROM items WHERE session = ? AND key = ?'
const INSERT =
  'INSERT INTO items (session, key, place, version, json, before) VALUES (?, ?, ?, ?, ?, ?)'
const UPDATE = 'UPDATE items SET version = ?, json = ?, before = ? WHERE session = ? AND key = ?'
const PUT_SOURCE = 'INSERT OR REPLACE INTO sources (session, name, json) VALUES (?, ?, ?)'

const sizeOf = (text: string | null | undefined) => (text ? Buffer.byteLength(text) : 0)
const find = (sql: Sql, head: Head, key: string) => sql(FIND).get(head.id, key) as Row | undefined

/** Adds items and sources. @throws Refused */
export function appendTo(sql: Sql, head: Head, { items, sources }: Append, limits: Limits): void {
  for (const { key, json, told } of items) {
    const old = find(sql, head, key)
    if (old?.json === json) continue
    const remember = told && head.turns > 0 && (old?.before ?? null) === null
    put(sql, head, key, json, old, remember ? (old?.json ?? '') : (old?.before ?? null))
  }
  for (const [name, json] of sources) putSource(sql, head, name, json)
  checkSize(head, limits)
}

/** Adds a turn and all that it changes. @throws Refused */
export function commitTo(sql: Sql, head: Head, commit: Commit, limits: Limits): void {
  if (head.last === commit.turnId) return
  if (head.turns !== commit.after) throw new Refused('conflict')
  if (head.turns >= limits.turns) throw new Refused('too_many_turns')
  head.turns += 1
  head.last = commit.turnId
  head.bytes += sizeOf(commit.turn)
  sql('INSERT INTO turns (session, number, json) VALUES (?, ?, ?)').run(
    ...[head.id, head.turns, commit.turn],
  )
  for (const { key, version } of commit.told) {
    const old = find(sql, head, key)
    if (old?.version !== version) continue
    head.bytes -= sizeOf(old.before)
    sql('UPDATE items SET before = NULL WHERE session = ? AND key = ?').run(head.id, key)
  }
  for (const { key, version, json } of commit.items) {
    const old = find(sql, head, key)
    if (old?.version === version) put(sql, head, key, json, old, old?.before ?? null)
  }
  for (const { key, version } of commit.removed) {
    const old = find(sql, head, key)
    if (old?.version !== version) continue
    head.bytes -= sizeOf(old.json) + sizeOf(old.before)
    head.items -= 1
    sql('DELETE FROM items WHERE session = ? AND key = ?').run(head.id, key)
  }
  for (const [name, json] of commit.sources) putSource(sql, head, name, json)
  checkSize(head, limits)
}

function put(
  sql: Sql,
  head: Head,
  key: string,
  json: string,
  old: Row | undefined,
  before: string | null,
): void {
  head.seq += 1
  head.bytes += sizeOf(json) + sizeOf(before) - sizeOf(old?.json) - sizeOf(old?.before)
  if (old) sql(UPDATE).run(head.seq, json, before, head.id, key)
  else {
    head.items += 1
    sql(INSERT).run(head.id, key, head.seq, head.seq, json, before)
  }
}

function putSource(sql: Sql, head: Head, name: string, json: string | undefined): void {
  const found = sql('SELECT json FROM sources WHERE session = ? AND name = ?').get(head.id, name)
  head.bytes += sizeOf(json) - sizeOf(found?.json as string | undefined)
  if (json === undefined) {
    sql('DELETE FROM sources WHERE session = ? AND name = ?').run(head.id, name)
  } else sql(PUT_SOURCE).run(head.id, name, json)
}

function checkSize(head: Head, limits: Limits): void {
  if (head.items > limits.items) throw new Refused('too_many_items')
  if (head.bytes > limits.bytes) throw new Refused('too_large')
}

/** All that is kept of a session. */
export function recordOf(sql: Sql, { id, created, expires, bytes }: Head): SessionRecord {
  const items = sql(
    'SELECT key, version, json, before FROM items WHERE session = ? ORDER BY place',
  ).all(id) as unknown as Row[]
  const sources = sql('SELECT name, json FROM sources WHERE session = ? ORDER BY name').all(id)
  const turns = sql('SELECT json FROM turns WHERE session = ? ORDER BY number').all(id)
  return {
    createdAt: created,
    expiresAt: expires,
    bytes,
    items: items.map(recordOfRow),
    sources: new Map(sources.map(({ name, json }) => [name as string, json as string])),
    turns: turns.map(({ json }) => json as string),
  }
}

function recordOfRow({ key, version, json, before }: Row): ItemRecord {
  return { key, version, json, before: before === null ? undefined : before === '' ? null : before }
}
