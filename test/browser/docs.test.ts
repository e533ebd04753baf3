import { existsSync } from 'node:fs'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'
import { type Service, startProcess } from '../support/process.ts'

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium'
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Unlike loopback, a name is not trusted over plain HTTP: what a page sees inside a network.
  '--host-resolver-rules=MAP service.test 127.0.0.1',
]
const KEY = 'a-key-of-this-test'

let browser: Browser
let github: GitHub
let page: Page
let service: Service
const complaints: string[] = []

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) {
    throw new Error(
      'Chromium is missing; on Debian: apt-get update && apt-get install -y chromium (or set CHROMIUM_PATH)',
    )
  }
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS })
  github = await startGitHub()
})

afterEach(async () => {
  await page?.close()
  await service?.[Symbol.asyncDispose]()
  expect(complaints.splice(0)).toEqual([])
})

afterAll(async () => {
  await browser?.close()
  await github?.close()
})

async function open(host: string, env: Record<string, string> = {}) {
  const own = { PORT: '0', GITHUB_API_URL: github.url, GITHUB_TOKEN: OCTOCAT_TOKEN }
  service = startProcess({ env: { ...own, ...env } })
  page = await browser.newPage()
  page.setDefaultTimeout(30_000)
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`))
  // Violations with no line in the console count too (W3C CSP 3, section 5).
  await page.exposeFunction('violated', (text: string) => complaints.push(text))
  await page.addInitScript(`document.addEventListener('securitypolicyviolation', (event) =>
    window.violated(event.violatedDirective + ' ' + event.blockedURI))`)
  const url = new URL('/docs', await service.url)
  url.hostname = host
  await page.goto(url.href)
}

/** The operation as Swagger UI shows it, opened and ready to be tried. */
async function tryOut(method: string, path: string): Promise<Locator> {
  const operation = page
    .locator(`.opblock-${method}`)
    .filter({ has: page.locator(`[data-path="${path}"]`) })
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  return operation
}

async function execute(operation: Locator) {
  await operation.getByRole('button', { name: 'Execute' }).click()
  const live = operation.locator('.live-responses-table')
  const status = await live.locator('.response .response-col_status').first().innerText()
  const body = await live.locator('.response .highlight-code code').first().innerText()
  await operation.getByRole('button', { name: 'Clear' }).click()
  await live.waitFor({ state: 'detached' })
  return { status: status.trim(), body: JSON.parse(body) }
}

describe('/docs', () => {
  it('executes every example of POST /mcp/context', async () => {
    await open('127.0.0.1')
    const operation = await tryOut('post', '/mcp/context')
    const examples = operation.locator('.examples-select select')
    const names = await examples
      .locator('option')
      .evaluateAll((options) => options.map((option) => option.getAttribute('value') ?? ''))
    expect(names).toEqual(await contextTypes())
    for (const name of names) {
      await examples.selectOption(name)
      const { status, body } = await execute(operation)
      expect([name, status]).toEqual([name, '200'])
      expect(body.context[0].type).toMatch(/^github_/)
    }
    expect(github.count()).toBeGreaterThanOrEqual(names.length)
  })

  it('works over plain HTTP under a name', async () => {
    await open('service.test')
    const { status, body } = await execute(await tryOut('post', '/mcp/context'))
    expect(status).toBe('200')
    expect(body.context[0].type).toMatch(/^github_/)
  })

  it('opens without an API key, and sends the one that is entered', async () => {
    await open('127.0.0.1', { API_KEYS: `test:${KEY}` })
    await page.getByRole('button', { name: 'Authorize' }).click()
    const dialog = page.locator('.modal-ux')
    await dialog.getByRole('textbox').fill(KEY)
    await dialog.getByRole('button', { name: 'Apply credentials' }).click()
    await dialog.getByRole('button', { name: 'Close' }).click()
    const { status } = await execute(await tryOut('post', '/mcp/context'))
    expect(status).toBe('200')
  })
})

async function contextTypes(): Promise<string[]> {
  const response = await fetch(`${await service.url}/mcp/context-types`)
  const { context_types } = (await response.json()) as { context_types: { context_type: string }[] }
  return context_types.map(({ context_type }) => context_type)
}
