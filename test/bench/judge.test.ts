import { afterEach, beforeEach, expect, it } from 'vitest'
import { createJudge, type Judge, type Question } from '../../bench/chaos/judge.ts'
import type { Reply } from '../../bench/chaos/replicas.ts'
import { createTally, type Tally } from '../../bench/chaos/tally.ts'
import { startWorld, textOf, type Who, type World } from '../../bench/chaos/world.ts'

let world: Awaited<ReturnType<typeof startWorld>>
let tally: Tally
let judge: Judge
beforeEach(async () => {
  world = await startWorld()
  tally = createTally()
  tally.begin('test', {})
  judge = createJudge(world, tally)
})
afterEach(() => world[Symbol.asyncDispose]())

const marker = { repository: 'ann/private', number: 3, version: 1 }
const question: Question = { who: 'ann', repository: 'ann/private', number: 3, need: 'kept' }
const answered = (status = 200, text = ''): Reply => {
  const now = Date.now()
  return { status, headers: {}, text, sentAt: now, endedAt: now }
}
/** GitHub says it to `who`, as the service would ask. */
const ask = (of: World, who: Who, { number, repository } = marker) =>
  fetch(`${of.github.url}/repos/${repository}/issues/${number}`, {
    headers: { authorization: `Bearer ${of.token(who)}`, 'user-agent': 'test' },
  })

it('takes what GitHub said to the one who asked', async () => {
  await ask(world, 'ann')
  judge.content(question, answered(), textOf(marker), 0)
  expect([tally.wrong, tally.foreign]).toEqual([[], []])
})

it('notices what GitHub said to nobody, and what is older than it says or may be', async () => {
  judge.content(question, answered(), textOf(marker))
  expect(tally.wrong).toEqual([expect.stringContaining('not said')])
  await ask(world, 'ann')
  const later = { ...answered(), sentAt: Date.now() + 10_000 }
  judge.content(question, later, textOf(marker), 5)
  judge.content({ ...question, maxAge: 3 }, later, textOf(marker), 60)
  expect(tally.wrong).toHaveLength(3)
  judge.content({ ...question, maxAge: 30 }, later, textOf(marker), 60)
  expect(tally.wrong).toHaveLength(3)
})

it('notices a version that is over, that never was, and two of them in one', async () => {
  await ask(world, 'ann')
  world.edit('ann/private', 3)
  await ask(world, 'ann')
  judge.content(
    { ...question, maxAge: 0 },
    { ...answered(), sentAt: Date.now() + 100 },
    textOf(marker),
  )
  judge.content(question, answered(), textOf({ ...marker, version: 9 }))
  judge.content(question, answered(), `${textOf(marker)} ${textOf({ ...marker, version: 2 })}`)
  judge.content(question, answered(), 'nothing')
  expect(tally.wrong).toEqual([
    expect.stringContaining('not said'),
    expect.stringContaining('never was'),
    expect.stringContaining('two versions'),
    expect.stringContaining('no content'),
  ])
})

it('notices another’s content, also what was one’s own, and where it is in a problem', async () => {
  await ask(world, 'ann')
  judge.content({ ...question, who: 'bob' }, answered(), textOf(marker))
  const shared = { repository: 'acme/shared', number: 1, version: 1 }
  await ask(world, 'bob', shared)
  const asked: Question = { ...question, who: 'bob', repository: 'acme/shared', number: 1 }
  judge.content(asked, answered(), textOf(shared))
  expect(tally.foreign).toHaveLength(1)
  judge.refusedSince = Date.now() - 1
  judge.content(asked, answered(), textOf(shared))
  const problem = { code: 'not_found', status: 404, detail: textOf(shared) }
  judge.failure(asked, answered(404, JSON.stringify(problem)))
  expect(tally.foreign).toHaveLength(3)
})

it('excuses what the fault at hand explains, and nothing else', () => {
  const failing = (code: string, more = {}) => {
    const problem = { code, status: 502, detail: 'It failed.', ...more }
    judge.failure(question, answered(502, JSON.stringify(problem)))
  }
  failing('upstream_error')
  tally.begin('a fault', { kept: ['upstream_error'] })
  failing('upstream_error')
  failing('upstream_timeout')
  failing('overloaded')
  judge.failure(question, { ...answered(0), broken: 'ECONNRESET' })
  judge.failure(question, { ...answered(0), broken: 'ECONNRESET', killed: true })
  expect(tally.failed.map((line) => line.split(': ').slice(0, 3))).toEqual([
    ['test', 'kept', '502 upstream_error'],
    ['a fault', 'kept', '502 upstream_timeout'],
    ['a fault', 'kept', '502 overloaded'],
    ['a fault', 'kept', 'ann ann/private'],
  ])
  expect(tally.wrong).toEqual([expect.stringContaining('without retry_after')])
  expect(tally.excused).toBe(2)
})
