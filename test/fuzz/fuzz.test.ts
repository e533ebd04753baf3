import { expect, it } from 'vitest'
import { createCheck } from './check.ts'
import { createRandom } from './random.ts'
import { createRequests } from './requests.ts'
import { runFuzz } from './run.ts'
import { startStage } from './stage.ts'

const COUNT = 3_000
/** The same each time: `npm run fuzz` looks elsewhere. */
const SEED = 20_260_131

it('answers to generated requests are as the OpenAPI document says, and none fails here', async () => {
  const report = await runFuzz({ seed: SEED, count: COUNT })
  expect(report.faults).toEqual([])
  expect(report.overSockets).toBeGreaterThan(100)
  // Else it would only be shown that nonsense is refused.
  expect(report.byStatus[200]).toBeGreaterThan(COUNT / 20)
  expect(Object.keys(report.byStatus).map(Number)).toEqual(
    expect.arrayContaining([200, 201, 204, 400, 401, 404, 406, 413, 415, 502]),
  )
}, 120_000)

it('gives the same requests for the same seed', async () => {
  await using stage = await startStage()
  const series = () => {
    const next = createRequests({ ...stage, random: createRandom(7) })
    return Array.from({ length: 200 }, () => next('hostile'))
  }
  expect(series()).toEqual(series())
})

it('notices a status, a media type, a body and an error that the document does not have', async () => {
  await using stage = await startStage()
  const check = createCheck(stage.document)
  const operation = stage.document.paths['/health']?.get
  const request = { sort: 'valid', method: 'GET', url: '/health', headers: {}, operation } as const
  const json = 'application/json'
  const good = (await stage.app.inject({ method: 'GET', url: '/health' })).body
  const found = [
    check(request, { status: 200, contentType: json, body: good }),
    check(request, { status: 418, contentType: json, body: '{}' }),
    check(request, { status: 200, contentType: 'text/html', body: good }),
    check(request, { status: 200, contentType: json, body: '{"status":"fine"}' }),
    check(request, { status: 500, contentType: json, body: '{"code":"internal_error"}' }),
  ]
  expect(found).toEqual([
    undefined,
    expect.stringMatching(/418 is not in the document/),
    expect.stringMatching(/media type text\/html/),
    expect.stringMatching(/not by its schema/),
    expect.stringMatching(/^500: /),
  ])
})
