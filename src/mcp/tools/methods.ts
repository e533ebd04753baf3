import { ServiceError } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import type { Scope } from '../../core/scopes.ts'
import { listing } from '../protocol/listing.ts'
import { CODES, isObject, RpcError } from '../protocol/message.ts'
import type { CacheHint, Methods, Result } from '../protocol/methods.ts'
import { listed, type Tool } from './tool.ts'

/**
 * `tools/list` and `tools/call`.
 * @param onError told of what nobody foresaw
 */
export function toolMethods(
  tools: readonly Tool[],
  hint: CacheHint,
  onError: (error: unknown) => void,
): Methods {
  const byName = new Map(tools.map((tool) => [tool.name, tool]))
  return {
    'tools/list': listing('tools', tools.map(listed), hint),
    async 'tools/call'({ name, arguments: args = {} }, call) {
      const tool = byName.get(String(name))
      if (!tool) throw unknownTool(String(name), [...byName.keys()])
      if (tool.scope && !call.caller.may(tool.scope)) throw lacking(tool.scope)
      if (!isObject(args)) throw new RpcError(CODES.invalidParams, 'arguments must be an object.')
      try {
        return await tool.run(args, call)
      } catch (error) {
        if (error instanceof RpcError) throw error
        if (error instanceof ServiceError) call.caller.failed?.(error)
        // Nobody is there to hear of it.
        if (!(error instanceof ServiceError) && !call.signal().aborted) onError(error)
        return failed(error)
      }
    },
  }
}

/** A tool's error is one that the model should read, and may mend. */
function failed(error: unknown): Result {
  const text =
    error instanceof ServiceError
      ? textOf(error)
      : 'Something failed here. Report the request id to the operator.'
  return { content: [{ type: 'text', text }], isError: true }
}

/** What happened and what to do next; where arguments are wrong, each by its name. */
function textOf({ detail, errors }: ServiceError): string {
  if (!errors || errors.length === 0) return detail
  return errors
    .map(({ pointer, message }) => `${pointer.replace(/^\/(params\/)?/, '')}: ${message}`)
    .join('\n')
}

function lacking(scope: Scope): RpcError {
  const message = `The access token lacks the scope ${scope}.`
  return new RpcError(CODES.transport, message, { status: 403, scope })
}

function unknownTool(name: string, known: readonly string[]): RpcError {
  const suggestion = nearest(name, known)
  const hint = suggestion ? `Did you mean ${suggestion}?` : 'tools/list shows what there is.'
  const shown = JSON.stringify(name.slice(0, 80))
  return new RpcError(CODES.invalidParams, `Unknown tool ${shown}. ${hint}`)
}
