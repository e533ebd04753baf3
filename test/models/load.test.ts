import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { KEY } from '../support/models/ask.ts'

const PROGRAM = join(import.meta.dirname, '../support/models/loads.ts')

async function loadedWith(env: Record<string, string>): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, JSON.stringify(env)])
  const { heard, loaded } = JSON.parse(stdout)
  expect(heard).toBeGreaterThan(10)
  return loaded
}

it.each<[string, Record<string, string>, string[]]>([
  ['no SDK where only the echo is configured', {}, []],
  ['the one of Anthropic with its key', { ANTHROPIC_API_KEY: KEY }, ['@anthropic-ai/sdk']],
  ['the one of OpenAI with an address', { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' }, ['openai']],
])('a start loads %s', async (_, env, expected) => {
  expect(await loadedWith(env)).toEqual(expected)
})
