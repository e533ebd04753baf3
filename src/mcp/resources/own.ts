import { ownRepositories } from '../../context/repo/own.ts'
import { type Contracts, compileContracts } from '../../context/request/contract.ts'
import { parseQuery } from '../../context/request/query.ts'
import type { ContextRequest } from '../../context/request/request.ts'
import { ServiceError } from '../../core/errors.ts'
import { hasAccount } from '../caller.ts'
import { listing } from '../protocol/listing.ts'
import type { CacheHint, Call, Method } from '../protocol/methods.ts'
import { MARKDOWN } from './templates.ts'

/** A resource of the account whose credential is used. */
interface OwnResource {
  readonly uri: string
  readonly name: string
  readonly title: string
  readonly description: string
  readonly request: (query: Readonly<Record<string, string>>) => ContextRequest
}

export interface OwnResources {
  /** `resources/list`: nothing for who has no account here. */
  readonly list: Method
  /**
   * The request that one of them stands for, or undefined for other addresses.
   * @throws ServiceError `forbidden` where no account's credential is used
   */
  requestOf(uri: string, call: Call): ContextRequest | undefined
}

const own = compileContracts([ownRepositories])

/**
 * `github://user/profile` and `github://repos`.
 * @param ownAccount whether the service's own credential is an account's
 * @param lists how long a list may be kept
 */
export function createOwnResources(
  contracts: Contracts,
  ownAccount: boolean,
  lists: CacheHint,
): OwnResources {
  const repositories: OwnResource = {
    uri: 'github://repos',
    name: 'repositories',
    title: 'Own repositories',
    description: 'The repositories of the account whose credential is used.',
    request: (query) => parseQuery(own, ownRepositories.type, query),
  }
  const profile: OwnResource = {
    uri: 'github://user/profile',
    name: 'profile',
    title: 'Own profile',
    description: 'The account whose credential is used.',
    request: (query) => parseQuery(contracts, 'github_user', query),
  }
  const resources = contracts.has('github_user') ? [profile, repositories] : [repositories]
  const listed = resources.map(({ description, name, title, uri }) => ({
    uri,
    name,
    title,
    description,
    mimeType: MARKDOWN,
  }))
  // Where each caller has an account of its own, or none, a list is good for that caller alone.
  const hint: CacheHint = ownAccount ? lists : { ...lists, cacheScope: 'private' }
  const all = listing('resources', listed, hint)
  const none = listing('resources', [], hint)
  const mayRead = ({ caller }: Call) => ownAccount || hasAccount(caller)
  return {
    list: (params, call) => (mayRead(call) ? all : none)(params, call),
    requestOf(uri, call) {
      const [address, search = ''] = uri.split('?', 2)
      const found = resources.find((resource) => resource.uri === address)
      if (!found) return undefined
      // Asked without an account, GitHub would take the credential for a wrong one.
      if (!mayRead(call)) throw accountless()
      return found.request(Object.fromEntries(new URLSearchParams(search)))
    },
  }
}

function accountless(): ServiceError {
  return new ServiceError(
    'forbidden',
    'This service asks GitHub in no account’s name. Its operator can set GITHUB_TOKEN; where callers may send X-GitHub-Token, send yours.',
  )
}
