import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqliteFile } from '../../src/sessions/store/sqliteFile.ts'
import { createSqliteSessions } from '../../src/sessions/store/sqliteStore.ts'
import { sessionSuite } from '../suites/sessions.ts'

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
