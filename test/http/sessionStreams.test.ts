import { mkdtempDisposable } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import type { EventStream } from '../support/events.ts'
import { type GitHub, startGitHub } from '../support/github/index.ts'
import type { Stage } from '../support/models/scripts.ts'
import { fails, says } from '../support/models/scripts.ts'
import { type StandIn, startStandIn } from '../support/models/server.ts'
import { ownSessions, scriptedModels } from '../support/scriptedModels.ts'
import { type Conversation, startConversation } from '../support/sessions.ts'

let github: GitHub
let models: StandIn
let app: App
let session: Conversation
let folder: Awaited<ReturnType<typeof mkdtempDisposable>>
let opened: EventStream[]

beforeEach(async () => {
  opened = []
  folder = await mkdtempDisposable(join(tmpdir(), 'data-'))
  github = await startGitHub()
  models = await startStandIn({ protocol: 'openai' })
  app = await startApp({
    github,
    env: {
      DATA_DIR: folder.path,
      OPENAI_BASE_URL: models.url,
      DEFAULT_MODEL: 'openai/local',
      LOG_LEVEL: 'trace',
    },
  })
  session = await startConversation(app)
})
afterEach(async () => {
  for (const stream of opened) await stream.close()
  await app.close()
  await models.close()
  await github.close()
  await folder.remove()
})

/** The model's side of the next call, to be played by hand. */
function nextStage(): Promise<Stage> {
  const { promise, resolve } = Promise.withResolvers<Stage>()
  models.plays(resolve)
  return promise
}

async function open(input: string): Promise<EventStream> {
  const stream = await session.stream(input)
  opened.push(stream)
  return stream
}

const history = async () => (await session.status()).history
const nextOf = async (stream: EventStream) => {
  const { value } = await stream[Symbol.asyncIterator]().next()
  return value
}

describe('a streamed turn', () => {
  it('is the model’s words as they come, then all else', async () => {
    const stage = nextStage()
    const pending = open('Hi')
    const model = await stage
    model.begin()
    model.text('One ')
    const stream = await pending
    expect([
      stream.status,
      stream.headers['content-type'],
      stream.headers['cache-control'],
    ]).toEqual([200, 'text/event-stream; charset=utf-8', 'no-store'])
    expect(await nextOf(stream)).toEqual({ name: 'token', data: { text: 'One ' } })
    model.text('two 🙂\n\n')
    expect(await nextOf(stream)).toEqual({ name: 'token', data: { text: 'two 🙂\n\n' } })
    expect(await history()).toEqual([])
    model.text('three')
    model.end()
    const rest = await stream.all()
    expect(rest.map(({ name }) => name)).toEqual(['token', 'context_updates', 'usage', 'done'])
    expect(rest[2]?.data).toMatchObject({ provider: 'openai', model: 'local', output_tokens: 7 })
    expect(rest[3]?.data).toEqual({ session_id: session.id })
    expect(await history()).toMatchObject([
      { user_input: 'Hi', model_response: 'One two 🙂\n\nthree', usage: rest[2]?.data },
    ])
  })

  it('that is done can be followed by another one at once', async () => {
    for (let turn = 0; turn < 20; turn += 1) {
      const stream = await open(`Turn ${turn}`)
      for await (const { name } of stream) if (name === 'done') break
    }
    expect(await history()).toHaveLength(20)
  })

  it('fails with a status of its own before the first word', async () => {
    models.plays(fails(401))
    const refused = await open('Hi')
    expect([refused.status, refused.headers['content-type']]).toEqual([
      502,
      'application/problem+json; charset=utf-8',
    ])
    await session.remove()
    expect((await open('Hi')).status).toBe(404)
  })

  it('that breaks off says so, and is not kept', async () => {
    const stage = nextStage()
    const pending = open('Hi')
    const model = await stage
    model.begin()
    model.text('Some words')
    const stream = await pending
    expect(await nextOf(stream)).toMatchObject({ name: 'token' })
    model.cut()
    const rest = await stream.all()
    expect(rest).toMatchObject([
      { name: 'error', data: { code: 'model_error', status: 502, request_id: expect.any(String) } },
    ])
    expect(await history()).toEqual([])
    await session.invoke('Again')
    expect(await history()).toHaveLength(1)
  })

  it('whose caller hangs up ends the model’s work, and is not kept', async () => {
    const stage = nextStage()
    const pending = open('Hi')
    const model = await stage
    model.begin()
    model.text('Some words')
    const stream = await pending
    await nextOf(stream)
    await stream.close()
    await (await models.call(0)).left
    expect(await history()).toEqual([])
    // Nothing of it is left that would be in the way of another one.
    await expect.poll(async () => (await session.tryInvoke('Again')).status).toBe(200)
    expect(await history()).toMatchObject([{ user_input: 'Again' }])
    expect((await app.get('/metrics')).text).toContain('session_turns_total{outcome="aborted"} 1')
    expect(app.logs.filter(({ level }) => Number(level) >= 50)).toEqual([])
  })

  it('whose caller hangs up before the first word is not kept either', async () => {
    const controller = new AbortController()
    const stage = nextStage()
    const pending = fetch(`${app.url}/mcp/session/${session.id}/invoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user_input: 'Hi' }),
      signal: controller.signal,
    })
    await stage
    controller.abort()
    await expect(pending).rejects.toThrow('aborted')
    await (await models.call(0)).left
    await expect.poll(async () => (await session.tryInvoke('Again')).status).toBe(200)
    expect(await history()).toMatchObject([{ user_input: 'Again' }])
    expect(app.logs.filter(({ level }) => Number(level) >= 50)).toEqual([])
  })

  it('is not read faster than its caller reads', async () => {
    const words = 'word '.repeat(20_000)
    let read = 0
    const { promise: ended, resolve: isEnded } = Promise.withResolvers<void>()
    const scripted = scriptedModels(async function* () {
      try {
        // 200 MB in all.
        for (; read < 2_000; read += 1) yield { type: 'text', text: words }
      } finally {
        isEnded()
      }
    })
    await using patient = await startApp({
      github,
      replace: { sessions: ownSessions(folder.path, scripted) },
    })
    const own = await startConversation(patient)
    const { hostname, port } = new URL(patient.url)
    const body = JSON.stringify({ user_input: 'Hi' })
    const socket = connect({ host: hostname, port: Number(port) })
    socket.pause()
    socket.write(
      [
        `POST /mcp/session/${own.id}/invoke HTTP/1.1`,
        'Host: test',
        'Accept: text/event-stream',
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n'),
    )
    // Until it is read no further: what is on its way fills the buffers of both sockets.
    let seen = -1
    await expect
      .poll(
        () => {
          const stands = read > 0 && read === seen
          seen = read
          return stands
        },
        { interval: 200, timeout: 20_000 },
      )
      .toBe(true)
    expect(read).toBeLessThan(500)
    socket.destroy()
    await ended
    expect(read).toBeLessThan(500)
    expect((await own.status()).history).toEqual([])
  })
})

describe('prompts', () => {
  it('are in no line of the log, at any level', async () => {
    await session.add({ type: 'note', content: 'SECRETITEM' })
    models.plays(says(['SECRETREPLY']), fails(400, { message: 'SECRETINPUT is bad' }))
    await session.invoke('SECRETINPUT', { system: 'SECRETSYSTEM' })
    await session.tryInvoke('SECRETINPUT')
    await session.tryAdd('[{"type":"SECRETITEM"')
    const stream = await open('SECRETINPUT')
    await stream.all()
    await expect.poll(() => app.logs.length).toBeGreaterThanOrEqual(5)
    expect(JSON.stringify(app.logs)).not.toContain('SECRET')
  })
})
