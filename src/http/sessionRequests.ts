import { Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { Contracts } from '../context/request/contract.ts'
import { faulty } from '../context/request/faults.ts'
import { parseRequest } from '../context/request/request.ts'
import { invalid, ServiceError } from '../core/errors.ts'
import type { Wanted } from '../sessions/sessions.ts'
import { MOST_REQUESTS } from './sessionSchemas.ts'

type Query = Readonly<Record<string, string | string[] | undefined>>

const Body = Type.Object(
  { requests: Type.Optional(Type.Array(Type.Unknown(), { minItems: 1, maxItems: MOST_REQUESTS })) },
  { additionalProperties: false },
)
const check = TypeCompiler.Compile(Body)

/** Issues and pull requests of a repository that its short form fetches. */
const LISTED = 30
const QUERY = ['repo_owner', 'repo_name', 'fetch_issues', 'fetch_prs']

/**
 * What to fetch into a session: by a body with requests, by a query that names a repository, or both.
 * @throws ServiceError `invalid_request`, `unknown_context_type`
 */
export function parseWanted(contracts: Contracts, query: Query, body: unknown): Wanted[] {
  const given = body ?? {}
  if (!check.Check(given)) throw faulty(check, Body, given, '', 'the request')
  const { requests = [] } = given
  const unknown = Object.keys(query).find((name) => !QUERY.includes(name))
  if (unknown) throw invalid(`/${unknown}`, `is not known here; known are ${QUERY.join(', ')}`)
  // Some clients send the switches whatever else they send.
  const isShort = 'repo_owner' in query || 'repo_name' in query || requests.length === 0
  const wanted = [...(isShort ? byQuery(contracts, query) : []), ...byBody(contracts, requests)]
  if (wanted.length > 0) return wanted
  throw invalid(
    '',
    'names nothing to fetch: send {"requests": […]}, or ?repo_owner=…&repo_name=…&fetch_issues=true',
  )
}

function byBody(contracts: Contracts, requests: readonly unknown[]): Wanted[] {
  return requests.map((input, index) => {
    const pointer = `/requests/${index}`
    try {
      return { kind: 'blocks', request: parseRequest(contracts, input), pointer }
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      const errors = (error.errors ?? []).map((fault) => ({
        ...fault,
        pointer: pointer + fault.pointer,
      }))
      throw new ServiceError(error.code, `${pointer}: ${error.detail}`, { errors })
    }
  })
}

function byQuery(contracts: Contracts, query: Query): Wanted[] {
  const { repo_owner: owner, repo_name: repo } = query
  if (Object.keys(query).length === 0) return []
  if (typeof owner !== 'string') throw invalid('/repo_owner', 'is required, once')
  if (typeof repo !== 'string') throw invalid('/repo_name', 'is required, once')
  const list = (context_type: string, kind: Wanted['kind'], more: object = {}): Wanted => ({
    kind,
    pointer: '',
    request: parseRequest(contracts, {
      context_type,
      params: { owner, repo, limit: LISTED, ...more },
    }),
  })
  return [
    ...(flag(query, 'fetch_issues') ? [list('github_issues', 'issues', { texts: 'whole' })] : []),
    ...(flag(query, 'fetch_prs') ? [list('github_pull_requests', 'pulls')] : []),
  ]
}

const TRUE = /^(true|1|yes|y|on|t)$/i
const FALSE = /^(false|0|no|n|off|f)$/i

/** As clients in any language write a boolean; true where they do not say. */
function flag(query: Query, name: string): boolean {
  const value = query[name]
  if (value === undefined) return true
  if (typeof value === 'string' && TRUE.test(value)) return true
  if (typeof value === 'string' && FALSE.test(value)) return false
  throw invalid(`/${name}`, 'must be true or false')
}
