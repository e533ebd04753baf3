import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { readConfig } from '../../src/config.ts'
import { createDeps } from '../../src/deps.ts'
import { buildApp } from '../../src/http/app.ts'
import { type GitHub, OCTOCAT_TOKEN, recordedWorld, startGitHub } from '../support/github/index.ts'
import type { Document } from './requests.ts'

const WEBHOOK_SECRET = ['fuzz', 'secret'].join('-')
const KEY = ['fuzz', 'key', '0123456789abcdef'].join('-')

export interface Stage extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly github: GitHub
  readonly url: string
  readonly document: Document
  readonly authorization: string
  readonly webhookSecret: string
  /** Some sessions, of the one caller that there is. */
  readonly sessions: readonly string[]
}

/** The real app with all its routes, in front of a simulated GitHub without limits. */
export async function startStage(): Promise<Stage> {
  const stack = new AsyncDisposableStack()
  try {
    const folder = stack.use(await mkdtempDisposable(join(tmpdir(), 'fuzz-')))
    const world = recordedWorld()
    for (const limits of [world.limits, world.anonymousLimits])
      Object.assign(limits, { core: 1e9, graphql: 1e9, search: 1e9, code_search: 1e9 })
    const github = stack.use(await startGitHub({ world, logSize: 1_000 }))
    const config = readConfig({
      NODE_ENV: 'production',
      GITHUB_API_URL: github.url,
      GITHUB_TOKEN: OCTOCAT_TOKEN,
      GITHUB_BUDGET: 'off',
      GITHUB_WEBHOOK_SECRET: WEBHOOK_SECRET,
      ALLOW_CALLER_TOKENS: 'true',
      API_KEYS: `fuzz:${KEY}`,
      RATE_LIMIT_MAX: '1000000000',
      // What is tested is not how busy this machine is.
      MAX_EVENT_LOOP_DELAY_MS: '60000',
      DATA_DIR: join(folder.path, 'data'),
      LOG_LEVEL: 'silent',
    })
    const deps = await createDeps(config, pino({ level: 'silent' }))
    stack.defer(() => deps.close())
    const app = await buildApp(deps.app)
    stack.defer(() => app.close())
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    deps.app.health.become('ready')
    const authorization = `Bearer ${KEY}`
    const sessions: string[] = []
    for (let count = 0; count < 5; count += 1) {
      const headers = { authorization }
      const made = await app.inject({ method: 'POST', url: '/mcp/session/create', headers })
      sessions.push(made.json().session_id)
    }
    const document = app.swagger() as unknown as Document
    const dispose = stack.move()
    return {
      ...{ app, github, url, document, authorization, sessions },
      webhookSecret: WEBHOOK_SECRET,
      [Symbol.asyncDispose]: () => dispose.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}
