/**
 * Where bodies come from: requests to GitHub recorded by Octokit (`@octokit/fixtures`), and the examples in
 * GitHub's own OpenAPI description (`@octokit/openapi`).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export interface RecordedRequest {
  method: string
  scope: string
  path: string
  status: number
  response: unknown
  rawHeaders: string[]
}

interface OpenApi {
  paths: Record<string, Record<string, Operation>>
  components: { examples: Record<string, { value: unknown }> }
}
interface Operation {
  responses: Record<string, { content?: Record<string, { examples?: Record<string, Example> }> }>
}
type Example = { $ref?: string; value?: unknown }

const { resolve } = createRequire(import.meta.url)
const packageFolder = (name: string) => dirname(resolve(`${name}/package.json`))

/** All recorded scenarios, in the order in which their requests were made. */
export function recordedScenarios(): RecordedRequest[][] {
  const folder = join(packageFolder('@octokit/fixtures'), 'scenarios/api.github.com')
  return readdirSync(folder).map((name) =>
    JSON.parse(readFileSync(join(folder, name, 'raw-fixture.json'), 'utf8')),
  )
}

let openApi: OpenApi | undefined

/** 13 MB of JSON: parsed when first needed, once. */
function description(): OpenApi {
  openApi ??= JSON.parse(
    readFileSync(join(packageFolder('@octokit/openapi'), 'generated/api.github.com.json'), 'utf8'),
  ) as OpenApi
  return openApi
}

/**
 * The body that GitHub documents for an operation, for example
 * `documented('GET', '/repos/{owner}/{repo}/pulls/{pull_number}')`.
 */
export function documented(method: string, path: string, example?: string): unknown {
  const responses = description().paths[path]?.[method.toLowerCase()]?.responses ?? {}
  for (const status of ['200', '201']) {
    const examples = responses[status]?.content?.['application/json']?.examples
    const found = examples?.[example ?? Object.keys(examples)[0] ?? '']
    if (found) return dereference(found)
  }
  throw new Error(`GitHub documents no example for ${method} ${path}`)
}

interface WebhookExamples {
  name: string
  examples: Record<string, unknown>[]
}

let webhooks: WebhookExamples[] | undefined

/** What GitHub delivered: the first example of an event that has this part, such as `discussion`. */
export function delivered(event: string, part: string): unknown {
  webhooks ??= JSON.parse(
    readFileSync(
      join(packageFolder('@octokit/webhooks-examples'), 'api.github.com/index.json'),
      'utf8',
    ),
  ) as WebhookExamples[]
  const examples = webhooks.find(({ name }) => name === event)?.examples ?? []
  const found = examples.find((example) => part in example)
  if (found) return found[part]
  throw new Error(`GitHub gives no example of ${event} with ${part}`)
}

function dereference(example: Example): unknown {
  if (example.$ref) {
    const name = example.$ref.replace('#/components/examples/', '')
    return dereference(description().components.examples[name] as Example)
  }
  // issues/get wraps its reference in `value`
  const nested = example.value as Example | undefined
  return typeof nested?.$ref === 'string' ? dereference(nested) : example.value
}
