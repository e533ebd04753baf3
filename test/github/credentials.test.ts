import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Credential } from '../../src/github/credentials.ts'
import { type TestedApp, testedApp } from '../support/gitHubApp.ts'
import { addInstallation, appKeyPair, type GitHub, startGitHub } from '../support/github/index.ts'

const MINUTE = 60_000
const signal = new AbortController().signal
const keys = appKeyPair()

let github: GitHub
let tested: TestedApp
let clock: number
beforeEach(async () => {
  github = await startGitHub()
  clock = Date.parse('2026-01-01T00:00:00Z')
  github.world.now = () => clock
  tested = testedApp(github, { now: () => clock, keys })
  addInstallation(github.world, { app: tested.known, login: 'acme' })
})
afterEach(async () => {
  await tested[Symbol.asyncDispose]()
  await github.close()
})

const minted = () => github.count({ method: 'POST', status: 201 })
const lookedUp = () => github.count({ path: /\/installation$/ })
const credential = async (owner = 'acme'): Promise<Credential> => tested.app.credentialFor(owner)
const token = async () => (await credential()).authorization(signal)

describe("an installation's token", () => {
  it('is minted once for 50 who need it at the same moment', async () => {
    github.latencyMs = 20
    const all = await Promise.all(Array.from({ length: 50 }, token))
    expect(new Set(all).size).toBe(1)
    expect(all[0]).toMatch(/^Bearer ghs_/)
    expect([lookedUp(), minted()]).toEqual([1, 1])
  })

  it('comes to the others when one of those who wait gives up', async () => {
    github.latencyMs = 50
    const { authorization } = await credential()
    const leaving = new AbortController()
    const left = authorization(leaving.signal)
    const others = Promise.all([authorization(signal), authorization(signal)])
    leaving.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    expect(new Set(await others).size).toBe(1)
    expect(minted()).toBe(1)
  })

  it('is not minted before it is needed', async () => {
    await credential()
    expect(minted()).toBe(0)
  })

  it('is replaced five minutes before its end, behind those who still use it', async () => {
    const first = await token()
    clock += 54 * MINUTE
    expect([await token(), minted()]).toEqual([first, 1])
    clock += 2 * MINUTE
    expect(await token()).toBe(first)
    await expect.poll(minted).toBe(2)
    await expect.poll(token).not.toBe(first)
    expect(minted()).toBe(2)
  })

  it('is used to its end while GitHub mints none', async () => {
    const first = await token()
    clock += 57 * MINUTE
    github.fault({ match: '/app/*', kind: 'status', status: 502 })
    expect([await token(), await token()]).toEqual([first, first])
    clock += 3 * MINUTE
    await expect(token()).rejects.toMatchObject({ code: 'upstream_error', upstreamStatus: 502 })
    github.clearFaults()
    expect(await token()).not.toBe(first)
  })

  it('is asked for once: a POST that failed is not sent again', async () => {
    const fault = github.fault({ match: '/app/*', kind: 'reset' })
    await expect(token()).rejects.toMatchObject({ code: 'upstream_unreachable' })
    expect(fault.hits).toBe(1)
  })

  it('is minted in the time that is set, or not at all', async () => {
    github.fault({ match: '/app/*', kind: 'hang' })
    await expect(token()).rejects.toMatchObject({ code: 'upstream_timeout' })
  })

  it('is refused in words for the owner where the installation is suspended or gone', async () => {
    const { authorization } = await credential()
    const [installation] = github.world.installations.values()
    if (installation) installation.suspended = true
    await expect(authorization(signal)).rejects.toMatchObject({
      code: 'upstream_forbidden',
      detail: expect.stringContaining('suspended'),
    })
    github.world.installations.clear()
    await expect(authorization(signal)).rejects.toMatchObject({
      code: 'upstream_forbidden',
      detail: expect.stringContaining('no longer installed'),
    })
    await expect(credential()).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('a principal', () => {
  it('outlives tokens and is the same in every process that has the key', async () => {
    const { principal } = await credential()
    const first = await token()
    clock += 61 * MINUTE
    expect(await token()).not.toBe(first)
    expect((await credential()).principal).toBe(principal)
    await using replica = testedApp(github, { now: () => clock, keys, known: tested.known })
    expect((await replica.app.credentialFor('acme')).principal).toBe(principal)
  })

  it('belongs to one installation', async () => {
    addInstallation(github.world, { app: tested.known, login: 'umbrella' })
    const both = [await credential('acme'), await credential('umbrella')]
    expect(new Set(both.map(({ principal }) => principal)).size).toBe(2)
    expect(await both[0]?.authorization(signal)).not.toBe(await both[1]?.authorization(signal))
  })
})

describe("a clock that is not GitHub's", () => {
  it.each([-2 * 60 * MINUTE, -9 * MINUTE, 2 * MINUTE, 24 * 60 * MINUTE])(
    'is corrected by %d ms from the answer that refuses the token',
    async (wrong) => {
      // The simulator's `Date` header tells the real time.
      github.world.now = Date.now
      const now = () => Date.now() + wrong
      await using off = testedApp(github, { now, keys, known: tested.known })
      const { authorization } = await off.app.credentialFor('acme')
      const first = await authorization(signal)
      expect(first).toMatch(/^Bearer ghs_/)
      expect([github.count({ status: 401 }), lookedUp(), minted()]).toEqual([1, 2, 1])
      expect(await authorization(signal)).toBe(first)
    },
  )

  it('does not make a wrong key be tried twice', async () => {
    github.world.now = Date.now
    const wrong = { ...keys, privateKey: appKeyPair().privateKey }
    await using stranger = testedApp(github, { now: Date.now, keys: wrong, known: tested.known })
    await expect(stranger.app.check()).rejects.toMatchObject({
      code: 'upstream_auth',
      detail: expect.stringContaining('GITHUB_APP_PRIVATE_KEY'),
    })
    expect(github.count()).toBe(1)
  })
})

it('an App that GitHub does not know is told of in the same words', async () => {
  github.world.apps.clear()
  await expect(tested.app.check()).rejects.toMatchObject({ code: 'upstream_auth' })
})
