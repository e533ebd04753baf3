import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ModelEvent } from '../../src/models/model.ts'
import { ownSessions, scriptedModels } from '../support/scriptedModels.ts'

const END: ModelEvent = {
  type: 'end',
  usage: { input: 1, output: 1 },
  model: 'scripted',
  truncated: false,
}
const callerOf = (signal: AbortSignal) => ({
  callerToken: undefined,
  signal,
  meter: { calls: 0 },
})
async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const value of values) found.push(value)
  return found
}

const hello = { input: 'Hello', config: {} }

it('a caller who leaves after the last word, before the turn is kept, finds nothing kept', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'data-'))
  const abort = new AbortController()
  const sessions = ownSessions(
    folder.path,
    scriptedModels(async function* () {
      yield { type: 'text', text: 'All of it.' }
      abort.abort(new Error('gone'))
      yield END
    }),
  )
  const { id } = await sessions.create('ann')
  const turn = sessions.invoke({ id, owner: 'ann' }, hello, callerOf(abort.signal))
  await expect(all(turn)).rejects.toThrow('gone')
  expect((await sessions.status({ id, owner: 'ann' })).history).toEqual([])
})

it('a reply without an end is an error, and what a model says is kept to the letter', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'data-'))
  const replies: ModelEvent[][] = [
    [{ type: 'text', text: 'Half' }],
    [
      { type: 'text', text: ' \n' },
      { type: 'text', text: '' },
      { type: 'text', text: '🙂\u0000 ' },
      END,
    ],
    [END],
    [{ type: 'text', text: 'Fine.' }, END],
  ]
  const models = scriptedModels(async function* () {
    yield* replies.shift() ?? []
  })
  const sessions = ownSessions(folder.path, models)
  const { id } = await sessions.create('ann')
  const invoke = () => {
    const { signal } = new AbortController()
    return all(sessions.invoke({ id, owner: 'ann' }, hello, callerOf(signal)))
  }
  await expect(invoke()).rejects.toMatchObject({ code: 'model_error' })
  expect((await invoke()).map(({ type }) => type)).toEqual(['text', 'text', 'end'])
  await invoke()
  await invoke()
  const { history } = await sessions.status({ id, owner: 'ann' })
  expect(history.map(({ model_response }) => model_response)).toEqual([' \n🙂\u0000 ', '', 'Fine.'])
  // No provider takes an empty message.
  expect(models.requests.at(-1)?.messages.map(({ content }) => content)).toEqual([
    'Hello',
    '🙂\u0000',
    'Hello',
    '(no answer)',
    'Hello',
  ])
})
