import pino from 'pino'
import { expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { createDeps } from '../../src/deps.ts'
import { buildApp } from '../../src/http/app.ts'

it('has a minute for each of its parts to start, on a machine that is busy', async () => {
  const deps = await createDeps(readConfig({ NODE_ENV: 'production' }), pino({ level: 'silent' }))
  const app = await buildApp(deps.app)
  try {
    expect(app.initialConfig.pluginTimeout).toBe(60_000)
  } finally {
    await app.close()
    await deps.close()
  }
})
