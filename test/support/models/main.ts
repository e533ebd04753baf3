import { parseArgs } from 'node:util'
import { startStandIn } from './server.ts'

/** Stand-ins as a process of their own, for demonstrations and benches: prints where they are, as JSON. */
const { values } = parseArgs({
  options: {
    'anthropic-port': { type: 'string', default: '0' },
    'openai-port': { type: 'string', default: '0' },
  },
})
const anthropic = await startStandIn({
  protocol: 'anthropic',
  port: Number(values['anthropic-port']),
})
const openai = await startStandIn({ protocol: 'openai', port: Number(values['openai-port']) })
console.log(JSON.stringify({ anthropic: anthropic.url, openai: openai.url }))

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void Promise.all([anthropic.close(), openai.close()]))
}
