import type { ModelAdapter, ModelRequest, Models } from '../../src/models/model.ts'

export interface ScriptedModels extends Models {
  readonly requests: readonly ModelRequest[]
}

/** One model, in this process, that replies as the script does. */
export function scriptedModels(reply: ModelAdapter['reply'], window = 32_768): ScriptedModels {
  const requests: ModelRequest[] = []
  const adapter: ModelAdapter = {
    provider: 'scripted',
    defaultModel: 'scripted',
    contextWindow: () => window,
    reply(request, signal) {
      requests.push(request)
      return reply(request, signal)
    },
  }
  return { requests, choose: () => ({ adapter, model: 'scripted' }) }
}
