import type { ModelAdapter, ModelRequest, Models } from '../../src/models/model.ts'
import { createSessions, type Sessions } from '../../src/sessions/sessions.ts'
import { createSqliteFile } from '../../src/sessions/store/sqliteFile.ts'
import { createSqliteSessions } from '../../src/sessions/store/sqliteStore.ts'
import { LIMITS } from '../../src/sessions/store/store.ts'
import { createRanker } from '../../src/sessions/turn/rank.ts'

export interface ScriptedModels extends Models {
  readonly requests: readonly ModelRequest[]
}

/** One model, in this process, that replies as the script does. */
export function scriptedModels(reply: ModelAdapter['reply'], window = 32_768): ScriptedModels {
  const requests: ModelRequest[] = []
  const adapter: ModelAdapter = {
    provider: 'scripted',
    defaultModel: 'scripted',
    contextWindow: () => window,
    reply(request, signal) {
      requests.push(request)
      return reply(request, signal)
    },
  }
  return { requests, choose: () => ({ adapter, model: 'scripted' }) }
}

/** Sessions in a folder that know no GitHub. */
export function ownSessions(folder: string, models: Models): Sessions {
  const now = Date.now
  const unused = (): never => {
    throw new Error('there is nothing to be asked of GitHub')
  }
  return createSessions({
    store: createSqliteSessions(createSqliteFile(folder), { now, ttl: 60_000, limits: LIMITS }),
    limits: LIMITS,
    models,
    ranker: createRanker(),
    engine: { get: unused, changes: unused, atHand: unused },
    contracts: new Map(),
    promptTokens: 64_000,
    running: new Set(),
    now,
    verdict: () => undefined,
    onFailure: unused,
    onTurn: () => {},
  })
}
