import type { Contracts } from '../../context/request/contract.ts'
import { parseQuery } from '../../context/request/query.ts'
import { type ContextRequest, parseRequest } from '../../context/request/request.ts'
import type { Locate } from '../../context/request/url.ts'
import { invalid } from '../../core/errors.ts'
import type { Provider } from '../../core/provider.ts'
import { type FetchOptions, fetchContext } from '../fetchContext.ts'
import type { Call } from '../protocol/methods.ts'
import type { Render } from './rendering.ts'
import { splitName } from './repositoryName.ts'
import { argumentsOf, brief } from './schema.ts'
import { type Arguments, READS, type Tool } from './tool.ts'
import { toolsetOf } from './toolsets.ts'

export interface ContextToolOptions extends FetchOptions {
  readonly contracts: Contracts
  readonly locate: Locate
  readonly render: Render
}

/** Tokens of an answer where the caller names no budget: a conversation has room for several of these. */
export const DEFAULT_TOKENS = 4_000

/** What every answer of a context is, whatever its type; REST's answer has the same form. */
const OUTPUT = {
  type: 'object',
  properties: {
    context_id: { type: 'string' },
    context: {
      type: 'array',
      items: {
        type: 'object',
        properties: { type: { type: 'string' }, content: { type: 'string' } },
        required: ['type', 'content'],
      },
    },
    tokens: { type: 'integer' },
    omitted: { type: 'array', items: { type: 'object' } },
  },
  required: ['context_id', 'context', 'tokens', 'omitted'],
}

const COMMON = { max_tokens: { type: 'integer' }, query: { type: 'string' } }

/** Explained where it is listed first: a model reads all schemas at once. */
const EXPLAINED = {
  max_tokens: {
    type: 'integer',
    default: DEFAULT_TOKENS,
    description: 'On every tool: the answer fits in this',
  },
  query: { type: 'string', description: 'On every tool: what matters, decides what is kept' },
}

/** The tools that read: one for addresses, one for each context type, and one by its usual name. */
export function contextTools(options: ContextToolOptions): Tool[] {
  const { contracts } = options
  const flat = [...contracts.values()].map(({ provider }) => flatTool(options, provider))
  return [
    byAddress(options),
    ...flat,
    ...(contracts.has('github_issues') ? [listIssues(options)] : []),
  ]
}

/** Arguments that every tool takes beside its own, as a request's options. */
function optionsOf({ max_tokens = DEFAULT_TOKENS, query }: Arguments): Record<string, unknown> {
  return query === undefined ? { max_tokens } : { max_tokens, query }
}

function flatTool(options: ContextToolOptions, provider: Provider): Tool {
  const { type, title, description, params } = provider
  return {
    name: type,
    title,
    description: brief(description),
    inputSchema: argumentsOf(params, COMMON),
    outputSchema: OUTPUT,
    annotations: READS,
    toolset: toolsetOf(type),
    run: (args, call) => answer(options, requestOf(options.contracts, provider, args), call),
  }
}

/** The request that a flat tool's arguments make. */
function requestOf(contracts: Contracts, provider: Provider, args: Arguments): ContextRequest {
  const { max_tokens: _tokens, query: _query, ...given } = args
  const params = 'owner' in provider.params.properties ? splitName(given) : given
  return parseRequest(contracts, { context_type: provider.type, params, ...optionsOf(args) })
}

function byAddress(options: ContextToolOptions): Tool {
  const { contracts, locate } = options
  return {
    name: 'github_context',
    title: 'Context by address',
    description: 'What a GitHub URL shows: repository, issue, pull request, file and so on.',
    inputSchema: {
      type: 'object',
      properties: { url: { type: 'string' }, ...EXPLAINED },
      required: ['url'],
    },
    outputSchema: OUTPUT,
    annotations: READS,
    toolset: 'context',
    async run(args, call) {
      const { url, max_tokens: _tokens, query: _query, ...others } = args
      if (typeof url !== 'string')
        throw invalid('/url', 'is required: the address of a page on GitHub')
      refuseOthers(others, ['url'])
      const { type, params } = locate(url)
      const request = parseQuery(contracts, type, params)
      return answer(options, withOptions(contracts, request, args), call)
    },
  }
}

/** The same request with the budget and query of the tool's arguments. */
function withOptions(contracts: Contracts, request: ContextRequest, args: Arguments) {
  const { provider, params } = request
  return parseRequest(contracts, { context_type: provider.type, params, ...optionsOf(args) })
}

function refuseOthers(others: Arguments, own: readonly string[]): void {
  const [name] = Object.keys(others)
  if (name === undefined) return
  const known = [...own, ...Object.keys(COMMON)].join(', ')
  throw invalid(`/${name}`, `is not a parameter of this tool; known are ${known}`)
}

function listIssues(options: ContextToolOptions): Tool {
  const { contracts } = options
  return {
    name: 'github_list_issues',
    title: 'List issues',
    description: 'Issues of a repository, given as owner/repo.',
    inputSchema: {
      type: 'object',
      properties: {
        repository: { type: 'string' },
        state: { type: 'string', enum: ['open', 'closed', 'all'] },
        limit: { type: 'integer' },
        ...COMMON,
      },
      required: ['repository'],
    },
    outputSchema: OUTPUT,
    annotations: READS,
    toolset: 'issues',
    async run(args, call) {
      const { max_tokens: _tokens, query: _query, ...given } = args
      if (given.repository === undefined && given.repo === undefined)
        throw invalid('/repository', 'is required: the repository as owner/repo')
      const params = splitName(given)
      const request = { context_type: 'github_issues', params, ...optionsOf(args) }
      return answer(options, parseRequest(contracts, request), call)
    },
  }
}

async function answer(options: ContextToolOptions, request: ContextRequest, call: Call) {
  const { entry, principal } = await fetchContext(options, request, call)
  return options.render(`${principal}:${request.key}`, entry.body)
}
