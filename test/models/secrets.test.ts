import { Writable } from 'node:stream'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  adapterOf,
  collect,
  configFor,
  createAsking,
  failureOf,
  KEY,
  requestOf,
} from '../support/models/ask.ts'
import { fails, type Script } from '../support/models/scripts.ts'
import { startStandIn } from '../support/models/server.ts'

const live = () => new AbortController().signal
const PROMPT = 'the quick brown fox of the prompt'
const SYSTEM = 'the lazy dog of the instructions'
const OTHER = ['sk', 'other', '9b1f'].join('-')
const request = { system: SYSTEM, messages: [{ role: 'user', content: PROMPT }] } as const

/** All that the SDKs would read, set against what the service wants. */
const ENVIRONMENT = {
  ANTHROPIC_API_KEY: OTHER,
  ANTHROPIC_AUTH_TOKEN: OTHER,
  ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
  ANTHROPIC_CUSTOM_HEADERS: `authorization: Bearer ${OTHER}\nx-api-key: ${OTHER}\nx-more: yes\nanthropic-version: 1`,
  ANTHROPIC_LOG: 'debug',
  ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE: 'content',
  OPENAI_API_KEY: OTHER,
  OPENAI_ADMIN_KEY: OTHER,
  OPENAI_BASE_URL: 'http://127.0.0.1:1',
  OPENAI_CUSTOM_HEADERS: `authorization: Bearer ${OTHER}\nx-more: yes`,
  OPENAI_LOG: 'debug',
  OPENAI_ORG_ID: 'other-org',
  OPENAI_PROJECT_ID: 'other-project',
}

const LEVELS = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const
let printed: string[]

beforeEach(() => {
  printed = []
  for (const [name, value] of Object.entries(ENVIRONMENT)) vi.stubEnv(name, value)
  for (const level of LEVELS) {
    vi.spyOn(console, level).mockImplementation((...args) => void printed.push(args.join(' ')))
  }
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      printed.push(String(text))
      return true
    })
  }
})
afterEach(() => vi.restoreAllMocks())

/** The line that the service logs for an error, at its most talkative. */
function logged(err: unknown): string {
  const lines: string[] = []
  const sink = new Writable({
    decodeStrings: false,
    write(line, _, done) {
      lines.push(line)
      done()
    },
  })
  pino({ level: 'trace' }, sink).error({ err }, 'failed')
  return lines.join('')
}

const echoed = `You sent ${PROMPT} with ${SYSTEM} and ${KEY}`
const scripts: [string, Script][] = [
  ['a refusal', fails(401, { type: 'authentication_error', message: echoed })],
  ['words of the prompt as words', fails(400, { type: PROMPT, code: KEY, message: echoed })],
  ['a body that is no JSON', (stage) => stage.answer(400, {}, echoed)],
  ['a page', (stage) => stage.answer(200, { 'content-type': 'text/html' }, echoed)],
  [
    'an error in the stream',
    (stage) => {
      stage.begin()
      stage.error('invalid_request_error', echoed)
    },
  ],
  [
    'garbage in the stream',
    (stage) => {
      stage.begin()
      stage.raw(`event: message_start\ndata: {"echo": ${echoed}\n\n`)
      stage.stop()
    },
  ],
  ['headers', fails(429, {}, { 'retry-after': '60', 'x-request-id': PROMPT, 'request-id': KEY })],
]

describe.each(['anthropic', 'openai'] as const)('%s', (protocol) => {
  it.each(scripts)('%s tells nobody of the prompt or the key', async (_, script) => {
    await using server = await startStandIn({ protocol, key: KEY })
    await using it = createAsking({ config: configFor(protocol, server) })
    server.plays(script)
    const adapter = adapterOf(it.models, protocol)
    const { error } = await failureOf(adapter.reply(requestOf(protocol, request), live()))
    expect(error).toMatchObject({ name: 'ServiceError' })
    const all = [logged(error), JSON.stringify(it.reports), ...printed].join('\n')
    expect(all).toContain(protocol)
    for (const secret of [PROMPT, SYSTEM, KEY, OTHER]) expect(all).not.toContain(secret)
  })

  it('prints nothing at all, and heeds no variable of the SDK', async () => {
    await using server = await startStandIn({ protocol, key: KEY })
    await using it = createAsking({ config: configFor(protocol, server) })
    const adapter = adapterOf(it.models, protocol)
    await collect(adapter.reply(requestOf(protocol, request), live()))
    expect(printed).toEqual([])
    const { headers } = server.calls[0] ?? {}
    expect(headers).toMatchObject({ authorization: `Bearer ${KEY}` })
    expect(JSON.stringify(headers)).not.toMatch(/other|x-more|stainless/i)
  })
})

it('an operator finds the provider’s own id of a failed request in the log', async () => {
  await using server = await startStandIn({ protocol: 'anthropic', key: KEY })
  await using it = createAsking({ config: configFor('anthropic', server) })
  const id = 'req_011CSHoEeqs5C35K2UUqR7Fy'
  server.plays(fails(400, { type: 'invalid_request_error' }, { 'request-id': id }))
  const events = adapterOf(it.models, 'anthropic').reply(requestOf('anthropic', request), live())
  expect(logged((await failureOf(events)).error)).toContain(
    `anthropic: 400 invalid_request_error request ${id}`,
  )
})

it('a server without a key is not given one out of the environment', async () => {
  await using server = await startStandIn({ protocol: 'openai' })
  await using it = createAsking({ config: { OPENAI_BASE_URL: server.url } })
  await collect(adapterOf(it.models, 'openai').reply(requestOf('openai', request), live()))
  expect(server.calls[0]?.headers).not.toHaveProperty('authorization')
})
