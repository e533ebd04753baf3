/** Tools that need input of the client, as 2026-07-28 has it: an answer that asks, and the call again. */
import { createHmac } from 'node:crypto'
import { META } from '../../../src/mcp/protocol/era.ts'
import { CODES, isObject, type Params, RpcError } from '../../../src/mcp/protocol/message.ts'
import type { Call, Result } from '../../../src/mcp/protocol/methods.ts'
import { type FixtureTool, text } from './fixtureTools.ts'

const KEY = 'for tests alone'

const sign = (state: string) =>
  `${state}.${createHmac('sha256', KEY).update(state).digest('base64url')}`

/** @throws RpcError for a state that is not ours */
function stateOf(signed: unknown): string | undefined {
  if (signed === undefined) return undefined
  const state = String(signed).split('.', 1)[0] ?? ''
  if (sign(state) === signed) return state
  throw new RpcError(CODES.invalidParams, 'The state was tampered with.')
}

const elicitation = (message: string, name: string, type = 'string') => ({
  method: 'elicitation/create',
  params: {
    message,
    requestedSchema: { type: 'object', properties: { [name]: { type } }, required: [name] },
  },
})

const sampling = (question: string, maxTokens: number) => ({
  method: 'sampling/createMessage',
  params: { messages: [{ role: 'user', content: text(question) }], maxTokens },
})

const ROOTS = { method: 'roots/list', params: {} }
const NAME = { user_name: elicitation('What is your name?', 'name') }

type Requests = Readonly<Record<string, object>>

const asking = (inputRequests: Requests, state?: string): Result => ({
  resultType: 'input_required',
  inputRequests,
  ...(state && { requestState: sign(state) }),
})

/** What the client answered, by the questions' names; undefined unless all are there. */
function answersOf({ inputResponses }: Params, requests: Requests): Params | undefined {
  if (!isObject(inputResponses)) return undefined
  const complete = Object.keys(requests).every((name) => isObject(inputResponses[name]))
  return complete ? inputResponses : undefined
}

/** Asks once, with a state where one is given, which must then come back. */
function once(name: string, requests: Requests, state?: string): FixtureTool {
  return {
    name,
    run(params) {
      const known = stateOf(params.requestState)
      const answers = answersOf(params, requests)
      if (!answers || known !== state) return asking(requests, state)
      const words = state === undefined ? '' : 'state-ok '
      return { content: [text(words + JSON.stringify(answers))] }
    },
  }
}

const CONFIRM = { confirm: elicitation('Please confirm', 'ok', 'boolean') }

export const inputTools: readonly FixtureTool[] = [
  once('test_input_required_result_elicitation', NAME),
  once('test_input_required_result_sampling', {
    capital_question: sampling('What is the capital of France?', 100),
  }),
  once('test_input_required_result_list_roots', { client_roots: ROOTS }),
  once('test_input_required_result_request_state', CONFIRM, 'confirming'),
  once('test_input_required_result_tampered_state', CONFIRM, 'confirming'),
  once(
    'test_input_required_result_multiple_inputs',
    { ...NAME, greeting: sampling('Generate a greeting', 50), client_roots: ROOTS },
    'greeting',
  ),
  {
    name: 'test_input_required_result_multi_round',
    run(params) {
      const state = stateOf(params.requestState)
      const first = { step1: elicitation('Step 1: What is your name?', 'name') }
      const second = { step2: elicitation('Step 2: What is your favorite color?', 'color') }
      if (state === 'second' && answersOf(params, second)) return { content: [text('Done.')] }
      if (state === 'first' && answersOf(params, first)) return asking(second, 'second')
      return asking(first, 'first')
    },
  },
  {
    name: 'test_input_required_result_capabilities',
    run(_params, { meta }) {
      const has = meta[META.clientCapabilities] as Params
      return asking({
        ...(has.sampling !== undefined && { greeting: sampling('Generate a greeting', 50) }),
        ...(has.elicitation !== undefined && NAME),
      })
    },
  },
  { name: 'test_streaming_elicitation', run: () => asking(NAME) },
]

const CONTEXT = {
  user_context: elicitation('What context should the prompt use?', 'context'),
}

export function promptWithInput(params: Params, _call: Call): Result {
  const answers = answersOf(params, CONTEXT)
  if (!answers) return asking(CONTEXT)
  return { messages: [{ role: 'user', content: text(JSON.stringify(answers)) }] }
}
