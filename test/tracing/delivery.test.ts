import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startApp } from '../support/app.ts'
import { type Collector, startCollector } from '../support/collector.ts'
import { type GitHub, startGitHub } from '../support/github/index.ts'
import { startRedis } from '../support/redis.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${TRACE}-b7ad6b7169203331-01`
const repo = { context_type: 'github_repo', params: { owner: 'octocat', repo: 'Hello-World' } }

let github: GitHub
let collector: Collector
beforeEach(async () => {
  github = await startGitHub()
  collector = await startCollector()
})
afterEach(async () => {
  await collector[Symbol.asyncDispose]()
  await github.close()
})

const start = (env: Record<string, string> = {}) =>
  startApp({
    github,
    env: { RATE_LIMIT_MAX: '5000', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env },
  })

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('the delivery of traces', () => {
  it('goes where it is told, with the headers and the name that it is given', async () => {
    const secret = ['col', 'lector'].join('-')
    const app = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/base/`,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${secret}, x-team = a%2Cb`,
      OTEL_SERVICE_NAME: 'context-eu',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging,service.name=other',
    })
    await app.post(repo)
    await app.close()
    expect(collector.deliveries).toMatchObject([
      {
        path: '/base/v1/traces',
        headers: { authorization: `Bearer ${secret}`, 'x-team': 'a,b' },
      },
    ])
    expect(collector.resources[0]).toMatchObject({
      'service.name': 'context-eu',
      'service.version': expect.any(String),
      'deployment.environment.name': 'staging',
    })
    expect(JSON.stringify(app.logs)).not.toContain(secret)
  })

  it.each([
    ['that refuses', (to: Collector) => to.answerWith(400)],
    ['that is gone', (to: Collector) => to[Symbol.asyncDispose]()],
  ])('to a collector %s hurts no request, and is told once', async (_which, fail) => {
    const gone = await startCollector()
    await fail(gone)
    const app = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: gone.url })
    const told = () => app.logs.filter(({ msg }) => String(msg).startsWith('traces cannot'))
    // A batch is full with 512 spans; it is tried for ten seconds, the rest at the end.
    for (let round = 0; round < 2; round += 1) {
      for (let asked = 0; asked < 520; asked += 8) {
        const answers = Array.from({ length: 8 }, () => app.get('/mcp/context-types'))
        for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
      }
      await vi.waitUntil(() => told().length > 0, { timeout: 20_000 })
    }
    await app.close()
    expect(told()).toEqual([expect.objectContaining({ level: 40, reason: expect.any(String) })])
    expect(app.logs.filter(({ level }) => Number(level) > 40)).toEqual([])
  })

  it('to a collector that hangs does not hold up the end', async () => {
    const hung = createServer(() => {})
    const app = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: await listen(hung) })
    await app.post(repo)
    const began = performance.now()
    await app.close()
    // Its own patience is a second, a delivery's ten.
    expect(performance.now() - began).toBeLessThan(8_000)
    hung.closeAllConnections()
    hung.close()
  })
})

describe('the sampler', () => {
  const kept = async (env: Record<string, string>, headers = {}) => {
    const app = await start(env)
    for (let i = 0; i < 40; i += 1) await app.get('/mcp/context-types', headers)
    await app.close()
    return collector.spans.length
  }
  const unsampled = { traceparent: traceparent.replace(/01$/, '00') }

  it('leaves it to the caller unless told otherwise', async () => {
    expect(await kept({}, unsampled)).toBe(0)
    expect(await kept({})).toBe(40)
  })

  it('keeps a share of what begins here', async () => {
    const half = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' }
    const count = await kept(half)
    // Outside of this, one time in ten million.
    expect(count).toBeGreaterThan(3)
    expect(count).toBeLessThan(37)
  })

  it.each([
    ['always_on', unsampled, 40],
    ['always_off', { traceparent }, 0],
    ['parentbased_always_off', {}, 0],
    ['parentbased_always_off', { traceparent }, 40],
  ])('%s does as OpenTelemetry says', async (name, headers, expected) => {
    expect(await kept({ OTEL_TRACES_SAMPLER: name }, headers)).toBe(expected)
  })

  it('still names the trace in the log where it is not kept', async () => {
    const app = await start({ OTEL_TRACES_SAMPLER: 'always_off' })
    await app.get('/mcp/context-types', { traceparent })
    expect(app.logs[0]).toMatchObject({ trace_id: TRACE })
    await app.close()
  })
})

describe('Redis', () => {
  it('is part of a trace where it is asked, by no key', async () => {
    await using redis = await startRedis()
    const env = { REDIS_URL: redis.url }
    const asks = Array.from({ length: 20 }, (_, at) => ({ ...repo, max_tokens: 300 + at }))
    const first = await start(env)
    for (const ask of asks) await first.post(ask)
    await first.close()
    const before = collector.spans.length
    const second = await start(env)
    // Until it has heard what was said before it came, it takes nothing from Redis.
    await vi.waitUntil(
      async () => {
        const ask = asks.shift()
        if (!ask) throw new Error('Redis had none of the answers')
        await second.post(ask, { traceparent })
        return second.logs.at(-1)?.outcome === 'hit_shared'
      },
      { timeout: 20_000, interval: 100 },
    )
    await second.close()
    const spans = collector.spans.slice(before)
    const cache = spans.find(
      ({ attributes, name }) => name === 'cache' && attributes['cache.outcome'] === 'hit_shared',
    )
    const look = spans.find(
      ({ attributes, parentSpanId }) =>
        attributes['db.system.name'] === 'redis' && parentSpanId === cache?.spanId,
    )
    expect(cache?.traceId).toBe(TRACE)
    expect(look).toMatchObject({
      name: 'GET',
      kind: 3,
      traceId: TRACE,
      attributes: { 'db.operation.name': 'GET', 'cache.hit': true },
    })
    expect(collector.text).not.toMatch(/answer:|github_repo\?/)
  })
})

describe('GitHub', () => {
  it('is not told of the trace', async () => {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(...Object.keys(request.headers))
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"Not Found"}')
    })
    const app = await startApp({
      github: { url: await listen(server) },
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    })
    expect((await app.post(repo, { traceparent, tracestate: 'a=b' })).status).toBe(404)
    await app.close()
    server.close()
    expect(seen).toContain('user-agent')
    expect(seen.filter((name) => /trace|baggage|b3/.test(name))).toEqual([])
    expect(collector.spans.some(({ traceId }) => traceId === TRACE)).toBe(true)
  })
})
