import { Redis } from 'ioredis'
import { afterAll, beforeAll } from 'vitest'
import { connectPatient } from '../../src/redis/connection.ts'
import { patientRedis } from '../../src/redis/patient.ts'
import { createRedisSessions, redisProblem } from '../../src/sessions/store/redisStore.ts'
import { sessionSuite } from '../suites/sessions.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

let server: RedisServer
let observer: Redis
beforeAll(async () => {
  server = await startRedis()
  observer = new Redis(server.url)
})
afterAll(async () => {
  observer.disconnect()
  await server.close()
})

sessionSuite('Redis', async (options) => {
  await observer.flushall()
  const redis = patientRedis(connectPatient(server.url), { problem: redisProblem })
  const store = createRedisSessions(redis, options)
  return { store, [Symbol.asyncDispose]: async () => store.close() }
})
