import { type TSchema, Type } from '@sinclair/typebox'
import { ItemInput } from '../sessions/items/item.ts'
import { MOST_ITEMS } from '../sessions/items/parse.ts'
import { InvokeRequest, ModelConfig } from '../sessions/turn/request.ts'

const Time = Type.String({ description: 'ISO 8601', examples: ['2026-01-31T12:00:00.000Z'] })
const SessionId = Type.String({ description: 'Whoever may call the service must not guess it' })

/** An item as it is shown. */
const ItemView = Type.Object(
  {
    ...ItemInput.properties,
    tokens: Type.Integer({ description: 'Of what a model is shown of it (o200k_base)' }),
    as_of: Type.Optional(Type.String({ description: 'When GitHub was asked for it, ISO 8601' })),
  },
  { $id: 'SessionItemView', title: 'Item as it is shown' },
)

/** To be added to the app, so that the document names them. */
export const sessionSchemas: readonly TSchema[] = [ItemInput, ItemView]

export const SessionParams = Type.Object({ session_id: Type.String() })

export const Created = Type.Object({ session_id: SessionId, created_at: Time, expires_at: Time })

const EXAMPLE_ITEMS = [
  {
    type: 'code',
    content: 'export const limit = 10',
    metadata: { path: 'src/limit.ts', language: 'typescript' },
  },
  { type: 'chat_message', content: 'The limit is too low.', metadata: { author: 'ann' } },
]

export const Items = Type.Unsafe({
  type: 'array',
  maxItems: MOST_ITEMS,
  items: { $ref: `${ItemInput.$id}#` },
  'x-examples': { items: { summary: 'Code and a message', value: EXAMPLE_ITEMS } },
})

const Flag = (description: string) =>
  Type.Optional(
    Type.String({ enum: ['true', 'false'], description: `${description}; \`true\` unless given` }),
  )

export const GitHubQuery = Type.Object({
  repo_owner: Type.Optional(
    Type.String({ description: 'Account that owns the repository', examples: ['octocat'] }),
  ),
  repo_name: Type.Optional(Type.String({ examples: ['Hello-World'] })),
  fetch_issues: Flag('Its open issues, the latest 30'),
  fetch_prs: Flag('Its open pull requests with the files that they change, the latest 30'),
})

export const GitHubBody = ({ 'x-examples': _ofOne, ...request }: TSchema) =>
  Type.Unsafe({
    type: 'object',
    properties: {
      requests: { type: 'array', minItems: 1, maxItems: MOST_REQUESTS, items: request },
    },
    'x-examples': {
      issue: {
        summary: 'An issue with its comments',
        value: {
          requests: [
            {
              context_type: 'github_issue',
              params: { owner: 'octocat', repo: 'Hello-World', issue_number: 1347 },
            },
          ],
        },
      },
      query: { summary: 'Nothing: the query says what', value: {} },
    },
  })

/** Requests in one body at most. */
export const MOST_REQUESTS = 50

export const Invoke = Type.Unsafe({
  ...Type.Object({
    user_input: InvokeRequest.properties.user_input,
    model_config: Type.Optional(ModelConfig),
  }),
  'x-examples': {
    echo: {
      summary: 'With the built-in echo, which needs no key',
      value: { user_input: 'What is the bug about?', model_config: { provider: 'echo' } },
    },
    default: {
      summary: 'With the model that is configured',
      value: { user_input: 'What is the bug about?', model_config: { max_tokens: 500 } },
    },
  },
})

const Count = (description: string) => Type.Integer({ description })

const Usage = Type.Object({
  provider: Type.String(),
  model: Type.String({ description: 'The model that answered, by the provider’s word' }),
  input_tokens: Count('Tokens of the prompt, as the provider counts them'),
  output_tokens: Count('Tokens of the reply'),
  saved_tokens: Count('Tokens of items and earlier turns that were not sent (o200k_base)'),
  items_sent: Count('Items that the model was shown'),
  items_named: Count('Items that it was only told of'),
  turns_sent: Count('Earlier turns that it was given'),
  truncated: Type.Boolean({ description: 'Whether the reply was cut short' }),
})

const Update = Type.Object({
  type: Type.String({ description: 'Type of the item' }),
  id: Type.String(),
  title: Type.String(),
  change: Type.String({ enum: ['added', 'changed', 'removed', 'unavailable'] }),
  content: Type.String({
    description: 'Only the difference: lines that went behind `- `, new ones behind `+ `',
  }),
  metadata: Type.Unknown(),
  url: Type.Optional(Type.String()),
})

export const Invoked = Type.Object({
  model_response: Type.String(),
  session_id: SessionId,
  context_updates: Type.Array(Update, {
    description: 'What GitHub changed of the session’s items since the last turn',
  }),
  usage: Usage,
})

export const Status = Type.Object({
  session_id: SessionId,
  context: Type.Object({
    items: Type.Array(Type.Unsafe({ $ref: `${ItemView.$id}#` }), {
      description: 'In the order in which they came',
    }),
    tokens: Count('Of all items'),
  }),
  history: Type.Array(
    Type.Object({
      user_input: Type.String(),
      model_response: Type.String(),
      created_at: Time,
      usage: Usage,
    }),
  ),
  created_at: Time,
  expires_at: Type.String({ description: 'ISO 8601; every use moves it' }),
})

export const Streamed = Type.String({
  description:
    'An event `token` with `text` for each part of the reply as it comes, then `context_updates`, `usage` and `done`, by when the turn is kept; `error` holds a problem, and then it is not',
})
