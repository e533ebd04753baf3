import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createClient } from '../support/app.ts'
import { type Collector, startCollector } from '../support/collector.ts'
import { type GitHub, startGitHub } from '../support/github/index.ts'
import { startStdio } from '../support/mcp/stdio.ts'
import { type Service, startProcess } from '../support/process.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${TRACE}-b7ad6b7169203331-01`
const repo = { context_type: 'github_repo', params: { owner: 'octocat', repo: 'Hello-World' } }

/**
 * Tells on stderr of each module of OpenTelemetry's that is loaded, but for its interfaces, which the
 * client for Prometheus brings along.
 */
const WATCH = `import { registerHooks } from 'node:module'
import { writeSync } from 'node:fs'
registerHooks({ load(url, context, next) {
  const [, name] = url.split('@opentelemetry/')
  if (name && !name.startsWith('api/')) writeSync(2, 'loaded ' + name + '\\n')
  return next(url, context)
} })`
const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(WATCH)}`

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
  startProcess({ env: { PORT: '0', GITHUB_API_URL: github.url, NODE_OPTIONS, ...env } })

const linesOf = ({ stdout }: Service) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

async function stop(service: Service): Promise<void> {
  service.signal('SIGTERM')
  expect(await service.exited).toEqual({ code: 0, signal: null })
}

describe('the process', () => {
  it('loads nothing of OpenTelemetry where no endpoint is named, and delivers nothing', async () => {
    await using service = start()
    const client = createClient(await service.url)
    expect((await client.post(repo, { traceparent })).status).toBe(200)
    await client.close()
    await stop(service)
    expect(service.stderr).toBe('')
    expect(collector.deliveries).toEqual([])
    const line = linesOf(service).find(({ route }) => route === '/mcp/context')
    expect(line).toMatchObject({ outcome: 'miss' })
    expect(line).not.toHaveProperty('trace_id')
  })

  it('delivers what is left when it is told to end', async () => {
    await using service = start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
    const client = createClient(await service.url)
    expect((await client.post(repo, { traceparent })).status).toBe(200)
    await client.close()
    await stop(service)
    // Of one that does load it, the watch tells.
    expect(service.stderr).toContain('loaded sdk-trace/')
    const spans = collector.spans.filter(({ traceId }) => traceId === TRACE)
    expect(spans.map(({ name }) => name)).toContain('POST /mcp/context')
  })

  it('tells in one line of a request from its caller to GitHub’s own ids', async () => {
    const key = `ann-${'key-'.repeat(4)}`
    await using service = start({
      API_KEYS: `ann:${key}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    })
    const client = createClient(await service.url)
    github.resetCounts()
    github.fault({ match: '/repos/*', kind: 'status', status: 502, times: 1 })
    const headers = { 'x-api-key': key, 'x-request-id': 'r-1', traceparent }
    expect((await client.post(repo, headers)).status).toBe(200)
    expect((await client.post(repo, { ...headers, 'x-request-id': 'r-2' })).status).toBe(200)
    await client.close()
    await stop(service)
    const [cold, warm] = linesOf(service).filter(({ route }) => route === '/mcp/context')
    const id = expect.stringMatching(/^[\dA-F:]{20,}$/)
    expect(cold).toEqual({
      level: 30,
      time: expect.any(String),
      method: 'POST',
      route: '/mcp/context',
      status: 200,
      type: 'github_repo',
      outcome: 'miss',
      request_id: 'r-1',
      duration_ms: expect.any(Number),
      upstream_calls: github.count(),
      caller: 'ann',
      github: expect.arrayContaining([
        { status: 502, id },
        { status: 200, id },
      ]),
      trace_id: TRACE,
    })
    expect(cold?.github).toHaveLength(github.count())
    expect(warm).toMatchObject({ request_id: 'r-2', outcome: 'hit', upstream_calls: 0 })
    expect(warm).not.toHaveProperty('github')
  })

  it('traces over stdin and stdout too', async () => {
    await using process = startStdio({
      GITHUB_API_URL: github.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    })
    const params = {
      name: 'github_repo',
      arguments: { repository: 'octocat/Hello-World' },
      _meta: { traceparent },
    }
    process.write({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
    await process.read(({ id }) => id === 1)
    process.end()
    expect(await process.exited).toBe(0)
    await vi.waitUntil(() => collector.spans.length > 0)
    expect(collector.spans.map(({ name, traceId }) => [name, traceId])).toContainEqual([
      'tools/call github_repo',
      TRACE,
    ])
  })
})
