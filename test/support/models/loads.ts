import { registerHooks } from 'node:module'

/**
 * Builds the service's parts as a start does, lets the echo speak, and prints which SDKs were loaded.
 * What is configured comes as JSON in the first argument.
 */
const loaded = new Set<string>()
registerHooks({
  load(url, context, next) {
    const sdk = /node_modules\/(openai|@anthropic-ai\/sdk)\//.exec(url)?.[1]
    if (sdk) loaded.add(sdk)
    return next(url, context)
  },
})

const { default: pino } = await import('pino')
const { readConfig } = await import('../../../src/config.ts')
const { createDeps } = await import('../../../src/deps.ts')
const { createModels } = await import('../../../src/models/registry.ts')

const config = readConfig({ NODE_ENV: 'production', ...JSON.parse(process.argv[2] ?? '{}') })
const deps = await createDeps(config, pino({ level: 'silent' }))
const options = { userAgent: 'test', now: Date.now, random: Math.random, onReply: () => {} }
const models = createModels(config, options)
const { adapter, model } = models.choose({ provider: 'echo' })
const messages = [{ role: 'user', content: 'Hello' }] as const
const request = { model, messages, system: undefined, maxTokens: 100, temperature: undefined }
let heard = 0
for await (const _ of adapter.reply(request, new AbortController().signal)) heard += 1
await models.close()
await deps.close()
console.log(JSON.stringify({ heard, loaded: [...loaded].sort() }))
