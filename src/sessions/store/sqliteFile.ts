import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError } from '../../core/errors.ts'

const FILE = 'sessions.db'
const SCHEMA_VERSION = 1
/** Milliseconds that a write waits for those of other processes. */
const PATIENCE = 5_000
/** Result codes (sqlite.org/rescode.html). */
const BUSY = 5
const LOCKED = 6

/**
 * `before` is what an item was at the last turn where it has changed since, '' where it was not
 * there. Times are epoch milliseconds.
 */
const SCHEMA = `
CREATE TABLE sessions (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL,
  turns INTEGER NOT NULL DEFAULT 0, items INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
  seq INTEGER NOT NULL DEFAULT 0, last TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_expiry ON sessions (expires);
CREATE TABLE items (
  session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, key TEXT NOT NULL,
  place INTEGER NOT NULL, version INTEGER NOT NULL, json TEXT NOT NULL, before TEXT,
  PRIMARY KEY (session, key)
) STRICT;
CREATE TABLE sources (
  session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, name TEXT NOT NULL, json TEXT NOT NULL,
  PRIMARY KEY (session, name)
) STRICT;
CREATE TABLE turns (
  session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, number INTEGER NOT NULL, json TEXT NOT NULL,
  PRIMARY KEY (session, number)
) STRICT;
PRAGMA user_version = ${SCHEMA_VERSION};`

/** The statement of a text, prepared once. */
export type Sql = (text: string) => StatementSync

/** A database file that several processes may use at once. */
export interface SqliteFile {
  /**
   * Does the work as one transaction, which may be tried more than once; what it throws undoes it.
   * @throws ServiceError `overloaded` where the file cannot be used; what the work throws
   */
  transact<T>(work: (sql: Sql) => T): Promise<T>
  /** Whether there is such a file already. */
  readonly exists: boolean
  trouble(): string | undefined
  close(): void
}

/** Nothing is opened, nor made, before it is needed: a service without sessions needs no folder. */
export function createSqliteFile(folder: string): SqliteFile {
  const path = join(folder, FILE)
  let db: DatabaseSync | undefined
  let statements = new Map<string, StatementSync>()
  let trouble: string | undefined
  let closed = false

  function open(): DatabaseSync {
    if (closed) throw new Error('The service is closing')
    if (db) return db
    // Conversations are of no concern to other users of the machine.
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
    // A wait inside SQLite would hold up the whole process: waiting is done outside of it.
    const opened = new DatabaseSync(path, { timeout: 0 })
    try {
      opened.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
      migrate(opened)
    } catch (error) {
      opened.close()
      throw error
    }
    db = opened
    statements = new Map()
    return db
  }

  function attempt<T>(work: (sql: Sql) => T): T {
    const opened = open()
    const sql: Sql = (text) => {
      const known = statements.get(text)
      if (known) return known
      const prepared = opened.prepare(text)
      statements.set(text, prepared)
      return prepared
    }
    opened.exec('BEGIN IMMEDIATE')
    try {
      const result = work(sql)
      opened.exec('COMMIT')
      return result
    } catch (error) {
      if (opened.isTransaction) opened.exec('ROLLBACK')
      throw error
    }
  }

  return {
    async transact(work) {
      const giveUpAt = performance.now() + PATIENCE
      for (let tries = 1; ; tries += 1) {
        try {
          const result = attempt(work)
          trouble = undefined
          return result
        } catch (error) {
          if (isBusy(error) && performance.now() < giveUpAt) {
            // Not all at the same moment again.
            await sleep(Math.random() * Math.min(50, 2 ** tries))
            continue
          }
          if (!isOfTheFile(error)) throw error
          trouble = `DATA_DIR cannot be used: ${nameOf(error)}`
          throw unusable(error)
        }
      }
    },
    get exists() {
      return existsSync(path)
    },
    trouble: () => trouble,
    close() {
      closed = true
      db?.close()
      db = undefined
    },
  }
}

function migrate(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    const version = db.prepare('PRAGMA user_version').get()?.user_version
    if (version === 0) db.exec(SCHEMA)
    else if (version !== SCHEMA_VERSION)
      throw Object.assign(new Error(`${FILE} is of another version (${version}) of the service`), {
        errcode: 0,
      })
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** Without the path, which strangers need not know. */
function nameOf(error: unknown): string {
  const { code, errstr, message } = error as Error & { code?: string; errstr?: string }
  return errstr ?? ('syscall' in (error as object) ? String(code) : message)
}

const codeOf = (error: unknown) => (error as { errcode?: number }).errcode

/** Extended codes carry the plain one in their lowest byte. */
function isBusy(error: unknown): boolean {
  const code = (codeOf(error) ?? 0) & 0xff
  return code === BUSY || code === LOCKED
}

/** Whether SQLite or the file system said it, and not a fault of ours. */
function isOfTheFile(error: unknown): boolean {
  return codeOf(error) !== undefined || 'syscall' in (error as object)
}

function unusable(cause: unknown): ServiceError {
  return new ServiceError(
    'overloaded',
    isBusy(cause)
      ? 'Sessions are kept in a file that others are writing to. Retry in a moment.'
      : 'Sessions are kept in a file that cannot be used now. The operator can set DATA_DIR to a writable folder with free space, or REDIS_URL.',
    { retryAfter: isBusy(cause) ? 1 : 30, cause },
  )
}
