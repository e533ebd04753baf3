import { hash } from 'node:crypto'
import type { Sql, SqliteFile } from './sqliteFile.ts'
import { appendTo, commitTo, type Head, Refused, recordOf } from './sqliteSteps.ts'
import type { Address, Refusal, SessionStore, StoreOptions } from './store.ts'

/** Milliseconds between looks for expired sessions, and how many one look takes away at most. */
const SWEEP_EVERY = 60_000
const SWEPT_AT_ONCE = 500

const FIND = 'SELECT * FROM sessions WHERE id = ? AND owner = ? AND expires > ?'
const KEEP =
  'UPDATE sessions SET expires = ?, turns = ?, items = ?, bytes = ?, seq = ?, last = ? WHERE id = ?'
const EXPIRE = `DELETE FROM sessions WHERE id IN
  (SELECT id FROM sessions WHERE expires <= ? LIMIT ${SWEPT_AT_ONCE})`

/** Sessions in a file of this machine's, for all processes that use it. */
export function createSqliteSessions(file: SqliteFile, options: StoreOptions): SessionStore {
  const { now, ttl, limits } = options

  async function sweep(): Promise<void> {
    // What an earlier process left behind expires whether or not anybody asks for sessions.
    if (file.exists) await file.transact((sql) => sql(EXPIRE).run(now()))
  }
  const timer = setInterval(() => void sweep().catch(() => {}), SWEEP_EVERY).unref()
  void sweep().catch(() => {})

  /** Works on the session if it is there, and refreshes its expiry. */
  function use<T>({ id, owner }: Address, work: (sql: Sql, head: Head) => T) {
    return file.transact((sql) => {
      const at = now()
      const head = sql(FIND).get(nameOf(id), owner, at) as unknown as Head | undefined
      if (!head) return undefined
      head.expires = at + ttl
      const result = work(sql, head)
      const { expires, turns, items, bytes, seq, last } = head
      sql(KEEP).run(expires, turns, items, bytes, seq, last, head.id)
      return result
    })
  }

  async function write(session: Address, work: (sql: Sql, head: Head) => void) {
    try {
      return (
        (await use<'done' | Refusal>(session, (sql, head) => {
          work(sql, head)
          return 'done'
        })) ?? 'missing'
      )
    } catch (error) {
      if (error instanceof Refused) return error.refusal
      throw error
    }
  }

  return {
    create: ({ id, owner }) =>
      file.transact((sql) => {
        const createdAt = now()
        const expiresAt = createdAt + ttl
        const statement = 'INSERT INTO sessions (id, owner, created, expires) VALUES (?, ?, ?, ?)'
        sql(statement).run(nameOf(id), owner, createdAt, expiresAt)
        return { createdAt, expiresAt }
      }),
    read: (session) => use(session, recordOf),
    append: (session, append) => write(session, (sql, head) => appendTo(sql, head, append, limits)),
    commit: (session, commit) => write(session, (sql, head) => commitTo(sql, head, commit, limits)),
    remove: ({ id, owner }) =>
      file.transact((sql) => {
        const statement = 'DELETE FROM sessions WHERE id = ? AND owner = ? AND expires > ?'
        return Number(sql(statement).run(nameOf(id), owner, now()).changes) > 0
      }),
    async count() {
      if (!file.exists) return 0
      const statement = 'SELECT count(*) AS count FROM sessions WHERE expires > ?'
      return file.transact((sql) => Number(sql(statement).get(now())?.count)).catch(() => undefined)
    },
    trouble: () => file.trouble(),
    close() {
      clearInterval(timer)
      file.close()
    },
  }
}

/** Whoever reads the file does not learn ids with which to ask. */
function nameOf(id: string): string {
  return hash('sha256', id, 'base64url')
}
