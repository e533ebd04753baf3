import { type TObject, Type } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import type { Provider } from '../../core/provider.ts'
import { Trust } from '../../core/trust.ts'

/** A provider with what is compiled from its schema once, at start. */
export interface Contract {
  readonly provider: Provider
  readonly check: TypeCheck<TObject>
  /** Names of the parameters, sorted: the canonical order. */
  readonly names: readonly string[]
}

export type Contracts = ReadonlyMap<string, Contract>

export function compileContracts(providers: readonly Provider[]): Contracts {
  return new Map(
    providers.map((provider) => [
      provider.type,
      {
        provider,
        check: TypeCompiler.Compile(provider.params),
        names: Object.keys(provider.params.properties).sort(),
      },
    ]),
  )
}

/** What every context request may carry beside its type and params. */
export const requestOptions = {
  max_tokens: Type.Optional(
    Type.Integer({
      minimum: 100,
      maximum: 1_000_000,
      description: 'The `content` of the whole answer fits in this many tokens (o200k_base)',
    }),
  ),
  query: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1_000,
      description:
        'What matters to the caller: decides what is kept when not all fits in `max_tokens`',
    }),
  ),
  max_age: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 86_400,
      description: 'Seconds: the oldest acceptable answer; 0 revalidates with GitHub now',
    }),
  ),
  min_trust: Type.Optional({
    ...Trust,
    description: `Leaves out what less trusted people wrote. ${Trust.description}`,
  }),
  since: Type.Optional(
    Type.String({
      pattern: '^mcp-[a-z_]+-[0-9a-f]{32}$',
      description:
        'A `context_id` of the last 24 hours: only what is new or changed since then is told, or 304 where nothing is',
      examples: ['mcp-github_issue-0123456789abcdef0123456789abcdef'],
    }),
  ),
}
