import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError, readConfig } from '../../src/config.ts'
import { appKeyPair } from '../support/github/index.ts'

const { privateKey: pkcs8 } = appKeyPair()
const pkcs1 = createPrivateKey(pkcs8).export({ type: 'pkcs1', format: 'pem' }).toString()

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'key-'))
})
afterAll(() => rm(folder, { recursive: true }))

const read = (env: Record<string, string>) => readConfig({ NODE_ENV: 'production', ...env })
function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    read(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
  }
  return []
}

describe("an App's private key", () => {
  it('is the same whichever way it is given', async () => {
    const path = join(folder, 'app.pem')
    await writeFile(path, pkcs1)
    const ways = [
      pkcs8,
      pkcs1,
      pkcs1.replaceAll('\n', '\\n'),
      pkcs8.replaceAll('\n', '\r\n'),
      `\n${pkcs1}\n\n`,
      path,
    ]
    for (const way of ways) {
      const config = read({ GITHUB_APP_ID: '1', GITHUB_APP_PRIVATE_KEY: way })
      expect(config.GITHUB_APP_PRIVATE_KEY).toBe(pkcs8)
    }
  })

  it('is refused in one line that does not show it', async () => {
    const wrong = [
      'no such file',
      folder,
      pkcs8.slice(0, 200),
      pkcs8.replaceAll('\n', ' '),
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      createPrivateKey(pkcs8)
        .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
        .toString(),
    ]
    for (const value of wrong) {
      expect(faultsOf({ GITHUB_APP_ID: '1', GITHUB_APP_PRIVATE_KEY: value })).toEqual([
        'GITHUB_APP_PRIVATE_KEY: is neither an RSA private key as PEM nor the path of a readable file that holds one',
      ])
    }
  })
})

it.each<[Record<string, string>, RegExp]>([
  [{ GITHUB_APP_ID: '1' }, /^GITHUB_APP_PRIVATE_KEY: is missing/],
  [{ GITHUB_APP_PRIVATE_KEY: pkcs8 }, /^GITHUB_APP_ID: is missing/],
  [
    { GITHUB_APP_ID: '1', GITHUB_APP_PRIVATE_KEY: pkcs8, GITHUB_TOKEN: 'ghp_x' },
    /^GITHUB_TOKEN: is set together with GITHUB_APP_ID/,
  ],
  [{ GITHUB_APP_ID: 'a b', GITHUB_APP_PRIVATE_KEY: pkcs8 }, /^GITHUB_APP_ID: does not have/],
  [{ ALLOW_CALLER_TOKENS: 'yes please' }, /^ALLOW_CALLER_TOKENS: must be true or false/],
])('half a configuration is none (%#)', (env, fault) => {
  expect(faultsOf(env)).toEqual([expect.stringMatching(fault)])
})

it('takes the client ID for the App as well', () => {
  const env = { GITHUB_APP_ID: 'Iv23liABCDEF', GITHUB_APP_PRIVATE_KEY: pkcs8 }
  expect(read(env).GITHUB_APP_ID).toBe('Iv23liABCDEF')
})

it('takes several webhook secrets', () => {
  expect(read({ GITHUB_WEBHOOK_SECRET: 'new, old,' }).GITHUB_WEBHOOK_SECRET).toEqual(['new', 'old'])
  expect(read({}).GITHUB_WEBHOOK_SECRET).toEqual([])
})
