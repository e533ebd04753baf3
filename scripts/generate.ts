/**
 * Writes what is derived from the code: `openapi/openapi.json`, the MCP tools as clients get them in
 * `openapi/mcp-tools.json`, and the tables in the README and in docs/operating.md.
 * With `--check` it writes nothing and fails where a file differs.
 */
import { readFile, writeFile } from 'node:fs/promises'
import pino from 'pino'
import { readConfig } from '../src/config.ts'
import { providers } from '../src/context/registry.ts'
import { problems } from '../src/core/errors.ts'
import { createDeps } from '../src/deps.ts'
import { buildApp } from '../src/http/app.ts'
import { Environment } from '../src/variables.ts'
import { operatingSections } from './operating.ts'

const root = new URL('..', import.meta.url)
const derived = await fromApp()
const files = new Map([
  ['openapi/openapi.json', derived.document],
  ['openapi/mcp-tools.json', await mcpTools()],
  [
    'README.md',
    await withSections('README.md', [
      ['context types', contextTypes()],
      ['configuration', configuration()],
      ['errors', errors()],
    ]),
  ],
  [
    'docs/operating.md',
    await withSections('docs/operating.md', await operatingSections(derived.metrics)),
  ],
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

async function fromApp(): Promise<{ document: string; metrics: string }> {
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
  const metrics = (await app.inject({ method: 'GET', url: '/metrics' })).body
  await app.close()
  await deps.close()
  return { document: `${document}\n`, metrics }
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

/** The file with each section's text between its marks. */
async function withSections(
  file: string,
  sections: readonly (readonly [name: string, text: string])[],
): Promise<string> {
  let text = await readFile(new URL(file, root), 'utf8')
  for (const [name, body] of sections) {
    const [start, end] = [`<!-- ${name}: generated -->`, `<!-- ${name}: end -->`]
    const [before, rest] = text.split(start)
    const after = rest?.split(end)[1]
    if (before === undefined || after === undefined)
      throw new Error(`${file} lacks the section ${start}`)
    text = `${before}${start}\n\n${body}\n\n${end}${after}`
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
