/**
 * What the official conformance suite calls for: tools, resources and prompts of fixed names, on the
 * service's own implementation of the protocol (github.com/modelcontextprotocol/conformance).
 */
import { META } from '../../../src/mcp/protocol/era.ts'
import { listing } from '../../../src/mcp/protocol/listing.ts'
import { CODES, RpcError } from '../../../src/mcp/protocol/message.ts'
import {
  type CacheHint,
  cacheable,
  type Methods,
  notification,
} from '../../../src/mcp/protocol/methods.ts'
import { createMcpServer, type McpServer } from '../../../src/mcp/protocol/server.ts'
import { askTools, type Questions } from './fixtureAsk.ts'
import { inputTools, promptWithInput } from './fixtureInput.ts'
import { type FixtureTool, listed, PNG, plainTools, text } from './fixtureTools.ts'

const HINT: CacheHint = { ttlMs: 1_000, cacheScope: 'public' }

export function createFixture(questions: Questions): McpServer {
  const changes = new Set<(list: 'tools' | 'prompts') => void>()
  const changed = (list: 'tools' | 'prompts'): FixtureTool => ({
    name: list === 'tools' ? 'test_trigger_tool_change' : 'test_trigger_prompt_change',
    run: () => {
      for (const tell of changes) tell(list)
      return { content: [text('Changed.')] }
    },
  })
  const tools = [...plainTools, changed('tools'), changed('prompts')]
  const capabilities = {
    completions: {},
    logging: {},
    prompts: { listChanged: true },
    resources: { subscribe: true },
    tools: { listChanged: true },
  }
  const { logging: _none, ...modern } = capabilities
  return createMcpServer({
    info: { name: 'fixture', version: '1.0.0' },
    sides: {
      legacy: {
        capabilities,
        methods: {
          ...common([...tools, ...askTools(questions)]),
          'logging/setLevel': () => ({}),
          'resources/subscribe': () => ({}),
          'resources/unsubscribe': () => ({}),
        },
      },
      modern: {
        capabilities: modern,
        methods: { ...common([...tools, ...inputTools]), 'subscriptions/listen': listen(changes) },
      },
    },
    onMessage: questions.onMessage,
    onError(error) {
      throw error
    },
  })
}

function common(tools: readonly FixtureTool[]): Methods {
  return {
    'tools/list': listing('tools', tools.map(listed), HINT),
    async 'tools/call'(params, call) {
      const tool = tools.find(({ name }) => name === params.name)
      if (!tool) throw new RpcError(CODES.invalidParams, 'No such tool')
      return tool.run(params, call)
    },
    'resources/list': listing(
      'resources',
      RESOURCES.map(({ listed: shown }) => shown),
      HINT,
    ),
    'resources/templates/list': listing('resourceTemplates', TEMPLATES, HINT),
    'resources/read'({ uri }, call) {
      const [, id] = /^test:\/\/template\/(\w+)\/data$/.exec(String(uri)) ?? []
      const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` })
      const contents = id
        ? { mimeType: 'application/json', text: data }
        : RESOURCES.find(({ listed: { uri: own } }) => own === uri)?.contents
      if (!contents) throw new RpcError(CODES.invalidParams, 'Not found', { data: { uri } })
      return cacheable(call, { contents: [{ uri, ...contents }] }, HINT)
    },
    'prompts/list': listing('prompts', PROMPTS, HINT),
    'prompts/get'({ name, arguments: args = {}, ...params }, call) {
      if (name === 'test_input_required_result_prompt') return promptWithInput(params, call)
      const { arg1, arg2, resourceUri } = args as Record<string, string>
      const contents: Record<string, object[]> = {
        test_simple_prompt: [text('This is a simple prompt for testing.')],
        test_prompt_with_arguments: [text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
        test_prompt_with_embedded_resource: [
          {
            type: 'resource',
            resource: {
              uri: resourceUri,
              mimeType: 'text/plain',
              text: 'Embedded resource content for testing.',
            },
          },
          text('Please process the embedded resource above.'),
        ],
        test_prompt_with_image: [
          { type: 'image', data: PNG, mimeType: 'image/png' },
          text('Please analyze the image above.'),
        ],
      }
      const found = contents[String(name)]
      if (!found) throw new RpcError(CODES.invalidParams, 'No such prompt')
      return { messages: found.map((content) => ({ role: 'user', content })) }
    },
    'completion/complete': () => ({ completion: { values: [], total: 0, hasMore: false } }),
  }
}

const RESOURCES = [
  {
    listed: { uri: 'test://static-text', name: 'Static text', mimeType: 'text/plain' },
    contents: {
      mimeType: 'text/plain',
      text: 'This is the content of the static text resource.',
    },
  },
  {
    listed: { uri: 'test://static-binary', name: 'Static binary', mimeType: 'image/png' },
    contents: { mimeType: 'image/png', blob: PNG },
  },
  {
    listed: { uri: 'test://watched-resource', name: 'Watched', mimeType: 'text/plain' },
    contents: { mimeType: 'text/plain', text: 'Watched.' },
  },
].map(({ listed: shown, contents }) => ({
  listed: { ...shown, description: `${shown.name}, for tests` },
  contents,
}))

const TEMPLATES = [
  {
    uriTemplate: 'test://template/{id}/data',
    name: 'Template',
    description: 'By id, for tests',
    mimeType: 'application/json',
  },
]

const argument = (name: string) => ({ name, description: name, required: true })
const PROMPTS = [
  { name: 'test_simple_prompt', description: 'Simple' },
  {
    name: 'test_prompt_with_arguments',
    description: 'With arguments',
    arguments: [argument('arg1'), argument('arg2')],
  },
  {
    name: 'test_prompt_with_embedded_resource',
    description: 'With a resource',
    arguments: [argument('resourceUri')],
  },
  { name: 'test_prompt_with_image', description: 'With an image' },
  { name: 'test_input_required_result_prompt', description: 'With input' },
]

/** `subscriptions/listen` of the lists that the tools above change. */
function listen(changes: Set<(list: 'tools' | 'prompts') => void>): Methods[string] {
  return async ({ notifications: filter }, { id, send, signal }) => {
    const { toolsListChanged, promptsListChanged } = filter as Record<string, boolean>
    const wanted = {
      ...(toolsListChanged && { toolsListChanged }),
      ...(promptsListChanged && { promptsListChanged }),
    }
    const meta = { _meta: { [META.subscriptionId]: id } }
    send?.(
      notification('notifications/subscriptions/acknowledged', { ...meta, notifications: wanted }),
    )
    const tell = (list: 'tools' | 'prompts') => {
      if (list === 'tools' ? toolsListChanged : promptsListChanged)
        send?.(notification(`notifications/${list}/list_changed`, meta))
    }
    changes.add(tell)
    await new Promise((resolve) => signal().addEventListener('abort', resolve))
    changes.delete(tell)
    return meta
  }
}
