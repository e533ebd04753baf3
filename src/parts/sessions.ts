import type { Invalidations } from '../cache/invalidations.ts'
import type { Models } from '../models/model.ts'
import { connectPatient } from '../redis/connection.ts'
import { patientRedis } from '../redis/patient.ts'
import { createSessions, type Sessions } from '../sessions/sessions.ts'
import { createRedisSessions, redisProblem } from '../sessions/store/redisStore.ts'
import { createSqliteFile } from '../sessions/store/sqliteFile.ts'
import { createSqliteSessions } from '../sessions/store/sqliteStore.ts'
import { LIMITS, type SessionStore } from '../sessions/store/store.ts'
import { createRanker } from '../sessions/turn/rank.ts'
import type { ContextParts } from './contexts.ts'
import type { Ground } from './ground.ts'

export interface SessionPartsOptions {
  readonly contexts: ContextParts
  readonly store: SessionStore
  readonly models: Models
  readonly invalidations: Invalidations
  readonly onTurn: (outcome: string) => void
}

export function createSessionParts(
  { config, logger, now }: Ground,
  { contexts, invalidations, models, onTurn, store }: SessionPartsOptions,
): Sessions {
  const { contracts, engine } = contexts
  return createSessions({
    store,
    limits: LIMITS,
    engine,
    contracts,
    models,
    ranker: createRanker(),
    promptTokens: config.SESSION_PROMPT_TOKENS,
    running: new Set(),
    verdict: invalidations.verdict,
    onTurn,
    now,
    onFailure: (error) => logger.error({ err: error }, 'an item of a session was not looked at'),
  })
}

/** Where sessions are kept: never now here, now there. */
export function createSessionStore({ config, now }: Ground): SessionStore {
  const { DATA_DIR, REDIS_URL, SESSION_TTL_SECONDS } = config
  const options = { now, ttl: SESSION_TTL_SECONDS * 1000, limits: LIMITS }
  if (REDIS_URL === undefined) return createSqliteSessions(createSqliteFile(DATA_DIR), options)
  const redis = patientRedis(connectPatient(REDIS_URL), { problem: redisProblem })
  return createRedisSessions(redis, options)
}
