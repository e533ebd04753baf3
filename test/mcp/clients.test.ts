import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, startApp } from '../support/app.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'
import {
  connect,
  ERAS,
  type Params,
  type Revision,
  type ToolResult,
} from '../support/mcp/client.ts'
import { STDIO } from '../support/mcp/stdio.ts'
import { EXAMPLES } from '../support/mcp/tools.ts'

const INSPECTOR = resolve(
  'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
)
/** Clients of one tool each at once. */
const AT_ONCE = 2

let github: GitHub
let app: App
let env: Record<string, string>
beforeAll(async () => {
  github = await startGitHub()
  const common = { GITHUB_TOKEN: OCTOCAT_TOKEN, ENABLE_WRITES: 'true', RATE_LIMIT_MAX: '100000' }
  env = { ...common, GITHUB_API_URL: github.url, NODE_ENV: 'production' }
  app = await startApp({ github, env: common })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const TRANSPORTS = ['http', 'stdio'] as const

async function officialClient(transport: (typeof TRANSPORTS)[number], revision: Revision) {
  if (transport === 'http') return connect(app.url, revision)
  const mode = revision === '2026-07-28' ? { pin: revision } : ('legacy' as const)
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [STDIO], env, stderr: 'ignore' }),
  )
  return client
}

function check(name: string, result: ToolResult): void {
  expect([name, result.isError, result.content[0]?.text.slice(0, 200)]).toEqual([
    name,
    undefined,
    expect.stringMatching(/\S/),
  ])
  expect(result.structuredContent).toBeTypeOf('object')
}

describe.each(TRANSPORTS)('over %s', (transport) => {
  it.each(ERAS)('the official client lists and calls every tool by %s', async (revision) => {
    const client = await officialClient(transport, revision)
    try {
      // It checks structured content by each tool’s schema.
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name)).toEqual(Object.keys(EXAMPLES))
      for (const { name } of tools) {
        const args = EXAMPLES[name] as Record<string, unknown>
        check(name, (await client.callTool({ name, arguments: args })) as ToolResult)
      }
      const { resourceTemplates } = await client.listResourceTemplates()
      const { prompts } = await client.listPrompts()
      const { resources } = await client.listResources()
      expect([resourceTemplates, prompts, resources].every(({ length }) => length > 0)).toBe(true)
      const uri = 'github://octocat/Hello-World'
      expect((await client.readResource({ uri })).contents[0]).toMatchObject({ uri })
      const prompt = {
        name: 'explain_repository',
        arguments: { owner: 'octocat', repo: 'Hello-World' },
      }
      expect((await client.getPrompt(prompt)).messages.length).toBe(2)
    } finally {
      await client.close()
    }
  })

  it('the inspector lists and calls every tool', async () => {
    const target =
      transport === 'http'
        ? [`${app.url}/mcp`, '--transport', 'http']
        : [process.execPath, STDIO, ...Object.entries(env).flatMap(([k, v]) => ['-e', `${k}=${v}`])]
    const { tools } = await inspect(...target, '--method', 'tools/list', '--strict')
    const names = (tools as { name: string }[]).map(({ name }) => name)
    expect(names).toEqual(Object.keys(EXAMPLES))
    const left = [...names]
    const next = async (): Promise<void> => {
      const name = left.shift()
      if (name === undefined) return
      const call = ['--method', 'tools/call', '--tool-name', name]
      const given = Object.entries(EXAMPLES[name] as Params).flatMap(([key, value]) => [
        '--tool-arg',
        `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      ])
      check(name, (await inspect(...target, ...call, ...given)) as unknown as ToolResult)
      await next()
    }
    await Promise.all(Array.from({ length: AT_ONCE }, next))
  }, 900_000)
})

/** What `inspector --cli` prints. */
async function inspect(...args: string[]): Promise<Record<string, unknown>> {
  const options = {
    env: { PATH: process.env.PATH, HOME: '/nonexistent' },
    maxBuffer: 64 * 1024 * 1024,
  }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [INSPECTOR, '--cli', ...args],
    options,
  )
  return JSON.parse(stdout)
}
