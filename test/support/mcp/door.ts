import { providers as known } from '../../../src/context/registry.ts'
import { compileContracts } from '../../../src/context/request/contract.ts'
import type { Provider } from '../../../src/core/provider.ts'
import { createDoor, type DoorOptions } from '../../../src/mcp/door.ts'
import { type Message, readMessage } from '../../../src/mcp/protocol/message.ts'
import type { McpServer } from '../../../src/mcp/protocol/server.ts'
import type { Params, Rpc } from './client.ts'

/** The door without a transport, GitHub or a cache behind it, as far as `options` do not give them. */
export function testDoor(
  options: Partial<DoorOptions> & { readonly providers?: readonly Provider[] } = {},
): McpServer {
  const { providers = known, ...others } = options
  return createDoor({
    info: { name: 'test', version: '1.0.0' },
    contracts: compileContracts(providers),
    engine: { get: () => Promise.reject(new Error('there is no engine')) } as never,
    locate: () => ({ type: 'github_repo', params: {} }),
    now: Date.now,
    ownAccount: false,
    toolsets: [],
    watch: () => () => {},
    writes: undefined,
    ending: new AbortController().signal,
    connected: false,
    onError: () => {},
    ...others,
  })
}

/** One request, as whichever transport hands it over. */
export async function ask(server: McpServer, method: string, params: Params = {}): Promise<Rpc> {
  const message = readMessage({ jsonrpc: '2.0', id: 1, method, params }) as Message & {
    kind: 'request'
  }
  const { body } = await server.answer(message, {
    era: 'modern',
    caller: { callerToken: undefined, meter: { calls: 0 }, may: () => true, served: () => {} },
    signal: () => new AbortController().signal,
    send: undefined,
  })
  return JSON.parse(body.toString())
}
