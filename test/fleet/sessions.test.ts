import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Fleet, startFleet } from '../support/fleet.ts'
import {
  addIssue,
  addRepository,
  type GitHub,
  OCTOCAT_TOKEN,
  startGitHub,
} from '../support/github/index.ts'
import { type StandIn, startStandIn } from '../support/models/server.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { conversation, startConversation } from '../support/sessions.ts'

const APPENDS = 200
const KILLS = 4

let github: GitHub
let redis: RedisServer
let models: StandIn
let folder: Awaited<ReturnType<typeof mkdtempDisposable>>
beforeAll(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk' })
  for (const title of ['One', 'Two']) addIssue(github.world, 'octo/talk', { title })
  redis = await startRedis()
  models = await startStandIn({ protocol: 'openai' })
  folder = await mkdtempDisposable(join(tmpdir(), 'data-'))
})
afterAll(async () => {
  await models.close()
  await redis.close()
  await github.close()
  await folder.remove()
})

const stores = [
  ['Redis', () => ({ REDIS_URL: redis.url })],
  ['SQLite', () => ({ DATA_DIR: folder.path })],
] as const

describe.each(stores)('with %s behind several processes', (_name, place) => {
  const start = (size: number) =>
    startFleet(size, {
      ...place(),
      GITHUB_API_URL: github.url,
      GITHUB_TOKEN: OCTOCAT_TOKEN,
      OPENAI_BASE_URL: models.url,
      DEFAULT_MODEL: 'openai/local',
    })
  let fleet: Fleet
  beforeAll(async () => {
    fleet = await start(4)
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  /** A replica as a caller's conversation needs it. */
  const replica = (at: number, of: Fleet = fleet) => {
    const { client } = of.replicas[at % of.replicas.length] as Fleet['replicas'][number]
    return { send: client.send, url: '' }
  }
  const through = (at: number, id: string) => conversation(replica(at), id)

  it(`${APPENDS} appends at once to one session all land, in one order`, async () => {
    const { id } = await startConversation(replica(0))
    const pair = (index: number) => [
      { type: 'note', content: `${index} first` },
      { type: 'note', content: `${index} second`, metadata: { index } },
    ]
    await Promise.all(
      Array.from({ length: APPENDS }, (_, index) => through(index, id).add(...pair(index))),
    )
    const views = await Promise.all(
      fleet.replicas.map(async (_, at) => (await through(at, id).status()).context.items),
    )
    const [view = []] = views
    for (const other of views) expect(other).toEqual(view)
    const contents = view.map(({ content }) => String(content))
    expect(contents.toSorted()).toEqual(
      Array.from({ length: APPENDS }, (_, index) => pair(index).map(({ content }) => content))
        .flat()
        .toSorted(),
    )
    // No append lies between the two of another.
    for (const [index, content] of contents.entries())
      if (index % 2 === 0) expect(contents[index + 1]).toBe(content.replace('first', 'second'))
  })

  it('of turns that run at once one is kept, and the others are told', async () => {
    const { id } = await startConversation(replica(0))
    const { promise: all, resolve: go } = Promise.withResolvers<void>()
    const began = models.calls.length
    models.plays(
      ...Array.from({ length: 3 }, () => async (stage: Parameters<typeof hold>[0]) => {
        await all
        hold(stage)
      }),
    )
    const turns = [0, 1, 2].map((at) => through(at, id).tryInvoke(`From ${at}`))
    await models.call(began + 2)
    go()
    const statuses = (await Promise.all(turns)).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([200, 409, 409])
    const { history } = await through(0, id).status()
    expect(history).toMatchObject([{ user_input: `From ${statuses.indexOf(200)}` }])
  })

  it('a kill -9 while the model speaks leaves the session as it was', async () => {
    await using doomed = await start(1)
    const session = await startConversation(replica(0, doomed))
    await session.fetch('?repo_owner=octo&repo_name=talk&fetch_prs=false')
    await session.invoke('Before')
    const before = await session.status()
    const began = models.calls.length
    models.plays((stage) => {
      stage.begin()
      stage.text('Half a sentence')
    })
    const cut = session.tryInvoke('Never answered')
    cut.catch(() => {})
    await models.call(began)
    doomed.replicas[0]?.process.signal('SIGKILL')
    await expect(cut).rejects.toThrow()
    const after = through(0, session.id)
    expect(await after.status()).toEqual({ ...before, expires_at: expect.any(String) })
    expect((await after.invoke('After')).usage.turns_sent).toBe(1)
  })

  it('a kill -9 at any moment of many turns leaves whole turns, and all that were answered', async () => {
    const { id } = await startConversation(replica(0))
    let answered = 0
    for (let kill = 0; kill < KILLS; kill += 1) {
      await using doomed = await start(1)
      const session = conversation(replica(0, doomed), id)
      answered = await countTurns(id, answered)
      // The more turns there were, the later in one of them.
      let left = 3 + kill
      const end = () => doomed.replicas[0]?.process.signal('SIGKILL')
      try {
        for (;;) {
          if (left === 0) setTimeout(end, kill * 3)
          left -= 1
          await session.invoke(`Turn ${answered}`)
          answered += 1
        }
      } catch (error) {
        // The connection broke: no turn was refused.
        expect(String(error)).not.toMatch(/^Error: \d{3} /)
      }
      await doomed.replicas[0]?.process.exited
    }
    expect(await countTurns(id, answered)).toBeGreaterThanOrEqual(KILLS * 3)
  })

  /** Those that were answered, and perhaps the one whose answer was lost: each whole, in order. */
  async function countTurns(id: string, answered: number): Promise<number> {
    const known = await through(0, id).status()
    expect(known.history.length).toBeGreaterThanOrEqual(answered)
    expect(known.history.length).toBeLessThanOrEqual(answered + 1)
    const turns = known.history.length
    expect(known.history.map(({ user_input }) => user_input)).toEqual(
      Array.from({ length: turns }, (_, index) => `Turn ${index}`),
    )
    for (const { model_response } of known.history)
      expect(model_response).toMatch(/^This is a stand-in .* characters\.$/)
    return turns
  }
})

function hold(stage: { begin(): void; text(text: string): void; end(): void }): void {
  stage.begin()
  stage.text('Done.')
  stage.end()
}
