import type { TSchema } from '@sinclair/typebox'
import { nameProviders } from '../context/repo/names.ts'
import { ownRepositories } from '../context/repo/own.ts'
import { compileContracts } from '../context/request/contract.ts'
import { parseRequest } from '../context/request/request.ts'
import type { Provider } from '../core/provider.ts'
import { hasAccount } from './caller.ts'
import { type FetchOptions, fetchContext } from './fetchContext.ts'
import { CODES, isObject, RpcError } from './protocol/message.ts'
import type { Call, Methods } from './protocol/methods.ts'

/** What can be completed: arguments by name, with the values that a schema allows where it says so. */
export interface Completable {
  readonly arguments: ReadonlyMap<string, TSchema | undefined>
}

export interface CompletionOptions extends FetchOptions {
  /** Whether the service's own credential is an account's, which has repositories of its own. */
  readonly ownAccount: boolean
  /** By `ref/prompt name` or `ref/resource uri`. */
  readonly completables: ReadonlyMap<string, Completable>
}

/** Values of one completion at most (specification, "Completion"). */
const MOST = 100
const BRANCHES = new Set(['ref', 'branch', 'base', 'head'])

const contracts = compileContracts([ownRepositories, ...nameProviders])

/** `completion/complete`: owners, repositories, branches and paths that begin as the caller types. */
export function completionMethods(options: CompletionOptions): Methods {
  return {
    async 'completion/complete'({ argument, context, ref }, call) {
      const { name, value } = typed(argument)
      const known = completableOf(options, ref)
      if (!known.arguments.has(name))
        throw new RpcError(CODES.invalidParams, `There is no argument ${JSON.stringify(name)}.`)
      const given = isObject(context) && isObject(context.arguments) ? context.arguments : {}
      const choices = choicesOf(known.arguments.get(name))
      const found = choices ?? (await lookUp(options, name, value, given, call))
      const values = matching(found, value)
      const completion = {
        values: values.slice(0, MOST),
        total: values.length,
        hasMore: values.length > MOST,
      }
      return { completion }
    },
  }
}

/** @throws RpcError `invalidParams` */
function typed(argument: unknown): { name: string; value: string } {
  const { name, value } = isObject(argument) ? argument : {}
  if (typeof name === 'string' && typeof value === 'string') return { name, value }
  throw new RpcError(CODES.invalidParams, 'argument must have a name and a value.')
}

/** @throws RpcError `invalidParams` for what there is not */
function completableOf({ completables }: CompletionOptions, ref: unknown): Completable {
  const { type, name, uri } = isObject(ref) ? ref : {}
  const found = completables.get(`${type} ${type === 'ref/prompt' ? name : uri}`)
  if (found) return found
  throw new RpcError(
    CODES.invalidParams,
    'ref names no prompt or resource template of this server.',
  )
}

function choicesOf(schema: TSchema | undefined): string[] | undefined {
  const values = schema?.enum ?? schema?.anyOf?.map((member: TSchema) => member.const)
  return values?.every((value: unknown) => typeof value === 'string') ? values : undefined
}

/** Names that GitHub has. Where it has none, or does not say, there is nothing to complete. */
async function lookUp(
  options: CompletionOptions,
  name: string,
  value: string,
  given: Readonly<Record<string, unknown>>,
  call: Call,
): Promise<readonly string[]> {
  try {
    const { owner, repo, ref } = given
    if (name === 'owner') return (await ownNames(options, call)).map(([login]) => login)
    if (name === 'repo') return await repositoriesOf(options, owner, call)
    if (BRANCHES.has(name))
      return await names(options, 'branch_names', { owner, repo, start: value }, call)
    if (name !== 'path') return []
    const folder = value.slice(0, Math.max(0, value.lastIndexOf('/')))
    const from = ref === undefined || ref === '' ? {} : { ref }
    return await names(options, 'path_names', { owner, repo, folder, ...from }, call)
  } catch {
    return []
  }
}

async function repositoriesOf(options: CompletionOptions, owner: unknown, call: Call) {
  const [own, listed] = await Promise.all([
    ownNames(options, call).catch(() => []),
    names(options, 'repository_names', { owner }, call).catch(() => []),
  ])
  const mine = own.filter(([login]) => login.toLowerCase() === String(owner).toLowerCase())
  return [...new Set([...mine.map(([, repo]) => repo), ...listed])]
}

/** Owner and name of what the credential has of its own. */
async function ownNames(
  options: CompletionOptions,
  call: Call,
): Promise<readonly (readonly [owner: string, repo: string])[]> {
  if (!options.ownAccount && !hasAccount(call.caller)) return []
  const block = await blockOf(options, ownRepositories.type, {}, call)
  const { repositories } = block as { repositories: readonly { full_name: string }[] }
  return repositories.map(({ full_name: name }) => {
    const [owner = '', repo = ''] = name.split('/')
    return [owner, repo] as const
  })
}

async function names(options: FetchOptions, type: string, params: object, call: Call) {
  return ((await blockOf(options, type, params, call)) as { names: readonly string[] }).names
}

async function blockOf(options: FetchOptions, type: Provider['type'], params: object, call: Call) {
  const request = parseRequest(contracts, { context_type: type, params })
  const { entry } = await fetchContext(options, request, call)
  const { context } = JSON.parse(entry.body.toString()) as { context: readonly [object] }
  return context[0]
}

/** Those that begin as typed, whatever the case. */
function matching(values: readonly string[], start: string): string[] {
  const wanted = start.toLowerCase()
  return [...new Set(values)].filter((value) => value.toLowerCase().startsWith(wanted))
}
