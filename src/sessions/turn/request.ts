import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { faulty } from '../../context/request/faults.ts'
import { invalid } from '../../core/errors.ts'

/** What a caller may say of the model. */
export const ModelConfig = Type.Object(
  {
    provider: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: '`anthropic`, `openai` or `echo`; without it the one that is configured',
      }),
    ),
    model: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'The provider’s own name of the model',
      }),
    ),
    max_tokens: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'Tokens of the reply at most; 4,096 unless given',
      }),
    ),
    temperature: Type.Optional(
      Type.Number({ minimum: 0, maximum: 2, description: 'From 0 (always alike) to 2' }),
    ),
    system: Type.Optional(
      Type.String({ maxLength: 200_000, description: 'Instructions for the model' }),
    ),
  },
  { additionalProperties: false },
)
export type ModelConfig = Static<typeof ModelConfig>

export const InvokeRequest = Type.Object(
  {
    user_input: Type.String({ minLength: 1, description: 'What the user says' }),
    model_config: Type.Optional(Type.Unsafe<ModelConfig | null>(Type.Any())),
  },
  { additionalProperties: false },
)

export interface Invocation {
  readonly input: string
  readonly config: ModelConfig
}

const request = TypeCompiler.Compile(InvokeRequest)
const config = TypeCompiler.Compile(ModelConfig)

/** Reads the body of an invocation. @throws ServiceError `invalid_request` */
export function parseInvocation(body: unknown): Invocation {
  if (!request.Check(body)) throw faulty(request, InvokeRequest, body, '', 'an invocation')
  if (body.user_input.trim() === '') throw invalid('/user_input', 'must say something')
  const given = withoutNulls(body.model_config ?? {})
  if (!config.Check(given)) {
    throw faulty(config, ModelConfig, given, '/model_config', 'model_config')
  }
  return { input: body.user_input, config: given }
}

/** Clients write null for what they leave to the service. */
function withoutNulls(value: unknown): unknown {
  if (!(value instanceof Object) || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
}
