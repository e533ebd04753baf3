/**
 * Writes what is derived from the code: `openapi/openapi.json`, the MCP tools as clients get them in
 * `openapi/mcp-tools.json`, and the tables in the README.
 * With `--check` it writes nothing and fails where a file differs.
 */
import { readFile, writeFile } from 'node:fs/promises'
import pino from 'pino'
import { Environment, readConfig } from '../src/config.ts'
import { providers } from '../src/context/registry.ts'
import { problems } from '../src/core/errors.ts'
import { createDeps } from '../src/deps.ts'
import { buildApp } from '../src/http/app.ts'

const root = new URL('..', import.meta.url)
const sections: Readonly<Record<string, () => string>> = {
  'context types': contextTypes,
  configuration,
  errors,
}

const files = new Map([
  ['openapi/openapi.json', await openapi()],
  ['openapi/mcp-tools.json', await mcpTools()],
  ['README.md', await readme()],
])
const check = process.argv.includes('--check')
for (const [name, text] of files) {
  const path = new URL(name, root)
  if (!check) await writeFile(path, text)
  else if ((await readFile(path, 'utf8')) !== text) {
    process.stderr.write(`${name} is not what the code says. Run: npm run openapi\n`)
    process.exitCode = 1
  }
}

async function openapi(): Promise<string> {
  // The document shows every route that a configuration can switch on.
  const config = {
    ...readConfig({ NODE_ENV: 'production' }),
    GITHUB_WEBHOOK_SECRET: ['unused'],
    ALLOW_CALLER_TOKENS: true,
  }
  const deps = await createDeps(config, pino({ level: 'silent' }))
  const app = await buildApp(deps.app)
  await app.ready()
  const document = JSON.stringify(app.swagger(), null, 2)
  await app.close()
  await deps.close()
  return `${document}\n`
}

/** `tools/list` with every tool that a configuration can switch on. */
async function mcpTools(): Promise<string> {
  const config = { ...readConfig({ NODE_ENV: 'production' }), ENABLE_WRITES: true }
  const deps = await createDeps(config, pino({ level: 'silent' }))
  const server = deps.mcpByLines(new AbortController().signal)
  const request = { kind: 'request', id: 1, method: 'tools/list', params: {} } as const
  const { body } = await server.answer(request, {
    era: 'legacy',
    caller: { callerToken: undefined, meter: { calls: 0 }, may: () => true, served: () => {} },
    signal: () => new AbortController().signal,
    send: undefined,
  })
  await deps.close()
  return `${JSON.stringify(JSON.parse(body.toString()).result.tools, null, 2)}\n`
}

async function readme(): Promise<string> {
  let text = await readFile(new URL('README.md', root), 'utf8')
  for (const [name, render] of Object.entries(sections)) {
    const [start, end] = [`<!-- ${name}: generated -->`, `<!-- ${name}: end -->`]
    const [before, rest] = text.split(start)
    const after = rest?.split(end)[1]
    if (before === undefined || after === undefined)
      throw new Error(`README.md lacks the section ${start}`)
    text = `${before}${start}\n\n${render()}\n\n${end}${after}`
  }
  return text
}

function contextTypes(): string {
  const rows = providers.map(({ type, params, description, uri }) => {
    const required = new Set(params.required ?? [])
    const names = Object.keys(params.properties).map((name) =>
      required.has(name) ? `**${name}**` : name,
    )
    const page = uri.replace('github://', 'https://github.com/')
    return `| \`${type}\` | ${names.join(', ')} | ${description} | \`${page}\` |`
  })
  return [
    '| type | parameters (required in bold) | what it gives | address |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function configuration(): string {
  const rows = Object.entries(Environment.properties).map(([name, schema]) => {
    const standard = schema.default === undefined ? '' : `\`${schema.default}\``
    return `| \`${name}\` | ${standard} | ${schema.description ?? ''} |`
  })
  return ['| name | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

function errors(): string {
  const rows = Object.entries(problems).map(
    ([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`,
  )
  return ['| code | status | title |', '| --- | --- | --- |', ...rows].join('\n')
}
