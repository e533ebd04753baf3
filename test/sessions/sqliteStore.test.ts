import { mkdtemp, mkdtempDisposable, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createSqliteFile } from '../../src/sessions/store/sqliteFile.ts'
import { createSqliteSessions } from '../../src/sessions/store/sqliteStore.ts'
import { LIMITS } from '../../src/sessions/store/store.ts'
import { appendOf, commitOf, putOf, sessionOf, sessionSuite } from '../suites/sessions.ts'

afterEach(() => void vi.useRealTimers())

sessionSuite('SQLite', async (options) => {
  const folder = await mkdtemp(join(tmpdir(), 'sessions-'))
  const store = createSqliteSessions(createSqliteFile(folder), options)
  return {
    store,
    async [Symbol.asyncDispose]() {
      store.close()
      await rm(folder, { recursive: true })
    },
  }
})

describe('SQLite', () => {
  it('forgets all that was of expired sessions, those of an earlier process too', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    await using folder = await mkdtempDisposable(join(tmpdir(), 'sessions-'))
    let at = 1_800_000_000_000
    const open = () =>
      createSqliteSessions(createSqliteFile(folder.path), {
        now: () => at,
        ttl: 60_000,
        limits: LIMITS,
      })
    const rows = () => {
      const db = new DatabaseSync(join(folder.path, 'sessions.db'))
      const counts = ['sessions', 'items', 'sources', 'turns'].map(
        (table) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n,
      )
      db.close()
      return counts
    }
    const first = open()
    for (const id of ['old', 'used']) {
      const session = sessionOf(id)
      await first.create(session)
      await first.append(session, {
        ...appendOf(putOf('a'), putOf('b')),
        sources: new Map([['s', '1']]),
      })
      await first.commit(session, commitOf(0))
    }
    expect(rows()).toEqual([2, 4, 2, 2])
    at += 30_000
    await first.read(sessionOf('used'))
    at += 30_000
    await vi.advanceTimersByTimeAsync(60_000)
    expect(rows()).toEqual([1, 2, 1, 1])
    first.close()
    at += 60_000
    const second = open()
    await expect.poll(rows).toEqual([0, 0, 0, 0])
    second.close()
  })
})
