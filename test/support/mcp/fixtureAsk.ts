/** Tools that ask something of the client by a request of their own, as revisions before 2026-07-28 do. */
import { randomUUID } from 'node:crypto'
import type { RpcNotification, RpcResponse } from '../../../src/mcp/protocol/message.ts'
import type { Call } from '../../../src/mcp/protocol/methods.ts'
import { type FixtureTool, text } from './fixtureTools.ts'

/** Questions whose answers come by requests of their own. */
export interface Questions {
  ask(call: Call, method: string, params: object): Promise<unknown>
  readonly onMessage: (message: RpcNotification | RpcResponse) => void
}

export function createQuestions(): Questions {
  const open = new Map<unknown, (answer: unknown) => void>()
  return {
    ask({ send }, method, params) {
      const id = randomUUID()
      const { promise, resolve } = Promise.withResolvers<unknown>()
      open.set(id, resolve)
      send?.({ jsonrpc: '2.0', id, method, params })
      return promise
    },
    onMessage(message) {
      if (message.kind !== 'response') return
      open.get(message.id)?.(message.result)
      open.delete(message.id)
    },
  }
}

interface Elicited {
  readonly action: string
  readonly content?: unknown
}

export function askTools({ ask }: Questions): FixtureTool[] {
  const elicit = async (call: Call, message: string, properties: object, required?: string[]) => {
    const requestedSchema = { type: 'object', properties, ...(required && { required }) }
    const params = { message, requestedSchema }
    const { action, content } = (await ask(call, 'elicitation/create', params)) as Elicited
    return `action=${action}, content=${JSON.stringify(content ?? {})}`
  }
  const argumentsOf = (args: unknown) => (args ?? {}) as Record<string, string>
  return [
    {
      name: 'test_sampling',
      inputSchema: { type: 'object', properties: { prompt: { type: 'string' } } },
      async run({ arguments: args }, call) {
        const { prompt = '' } = argumentsOf(args)
        const messages = [{ role: 'user', content: text(prompt) }]
        const params = { messages, maxTokens: 100 }
        const answer = (await ask(call, 'sampling/createMessage', params)) as {
          content: { text: string }
        }
        return { content: [text(`LLM response: ${answer.content.text}`)] }
      },
    },
    {
      name: 'test_elicitation',
      inputSchema: { type: 'object', properties: { message: { type: 'string' } } },
      async run({ arguments: args }, call) {
        const { message = '' } = argumentsOf(args)
        const properties = {
          username: { type: 'string', description: "User's response" },
          email: { type: 'string', description: "User's email address" },
        }
        const answer = await elicit(call, message, properties, ['username', 'email'])
        return { content: [text(`User response: ${answer}`)] }
      },
    },
    {
      name: 'test_elicitation_sep1034_defaults',
      async run(_params, call) {
        const answer = await elicit(call, 'Please check', {
          name: { type: 'string', default: 'John Doe' },
          age: { type: 'integer', default: 30 },
          score: { type: 'number', default: 95.5 },
          status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
          verified: { type: 'boolean', default: true },
        })
        return { content: [text(`Elicitation completed: ${answer}`)] }
      },
    },
    {
      name: 'test_elicitation_sep1330_enums',
      async run(_params, call) {
        const options = ['option1', 'option2', 'option3']
        const titled = (kind: string) =>
          ['First', 'Second', 'Third'].map((word, index) => ({
            const: `value${index + 1}`,
            title: `${word} ${kind}`,
          }))
        const answer = await elicit(call, 'Please choose', {
          untitledSingle: { type: 'string', enum: options },
          titledSingle: { type: 'string', oneOf: titled('Option') },
          legacyEnum: {
            type: 'string',
            enum: ['opt1', 'opt2', 'opt3'],
            enumNames: ['Option One', 'Option Two', 'Option Three'],
          },
          untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
          titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
        })
        return { content: [text(`Elicitation completed: ${answer}`)] }
      },
    },
  ]
}
