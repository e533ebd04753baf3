import { afterEach, beforeEach, expect, it } from 'vitest'
import { type TestedApp, testedApp } from '../support/gitHubApp.ts'
import { addInstallation, type GitHub, startGitHub } from '../support/github/index.ts'

const MINUTE = 60_000

let github: GitHub
let tested: TestedApp
let clock: number
let changedAt: number
beforeEach(async () => {
  github = await startGitHub()
  clock = Date.parse('2026-01-01T00:00:00Z')
  changedAt = 0
  github.world.now = () => clock
  tested = testedApp(github, { now: () => clock, changedSince: (_owner, at) => changedAt >= at })
})
afterEach(async () => {
  await tested[Symbol.asyncDispose]()
  await github.close()
})

const install = () => addInstallation(github.world, { app: tested.known, login: 'acme' })
const lookedUp = () => github.count({ path: '/users/acme/installation' })
const find = async () => tested.app.credentialFor('acme')

it('an account without the App is told so, and asked for again after a minute', async () => {
  const refusal = {
    code: 'forbidden',
    detail: expect.stringMatching(/^The GitHub App is not installed for acme\./),
  }
  await expect(find()).rejects.toMatchObject(refusal)
  install()
  clock += 0.9 * MINUTE
  await expect(find()).rejects.toMatchObject(refusal)
  expect(lookedUp()).toBe(1)
  clock += 0.2 * MINUTE
  expect((await find()).anonymous).toBe(false)
  expect(lookedUp()).toBe(2)
})

it('an installation is remembered for an hour, then looked for again behind the request', async () => {
  install()
  await find()
  clock += 59 * MINUTE
  await find()
  expect(lookedUp()).toBe(1)
  github.world.installations.clear()
  clock += 2 * MINUTE
  await find()
  await expect.poll(() => find().catch(({ code }) => code)).toBe('forbidden')
  expect(lookedUp()).toBe(2)
})

it('what is remembered is forgotten when something happens to the account', async () => {
  install()
  await find()
  github.world.installations.clear()
  clock += 10
  changedAt = clock
  await expect(find()).rejects.toMatchObject({ code: 'forbidden' })
})

it('what is remembered stands in for a day while GitHub does not answer', async () => {
  install()
  const { principal } = await find()
  github.fault({ match: '/users/*', kind: 'hang' })
  for (let hour = 1; hour < 24; hour += 1) {
    clock += 60 * MINUTE
    const started = performance.now()
    expect((await find()).principal).toBe(principal)
    expect(performance.now() - started).toBeLessThan(500)
  }
  clock += 120 * MINUTE
  github.clearFaults()
  github.fault({ match: '/users/*', kind: 'status', status: 502 })
  await expect(find()).rejects.toMatchObject({ code: expect.stringMatching(/^upstream_/) })
})

it('is asked for once at a time', async () => {
  install()
  github.latencyMs = 20
  await Promise.all(Array.from({ length: 20 }, find))
  expect(lookedUp()).toBe(1)
})
