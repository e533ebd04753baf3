import { lacking } from '../principals.ts'
import type { Repository } from '../types.ts'
import type { GraphContext } from './types.ts'

/** What GitHub refuses within a query: it stands beside `path` and `message`, not in `extensions`. */
export interface GraphProblem extends Error {
  type: string
  extensions?: Record<string, unknown>
}

export function problem(
  type: string,
  message: string,
  extensions?: Record<string, unknown>,
): GraphProblem {
  return Object.assign(new Error(message), { type, ...(extensions && { extensions }) })
}

/** A field that the simulator does not have, which is a fault of the test. */
export class Gap extends Error {}

export const unresolved = (kind: string, number: number) =>
  problem(
    'NOT_FOUND',
    `Could not resolve to ${article(kind)} ${kind} with the number of ${number}.`,
  )

const article = (kind: string) => (/^[AEIOU]/.test(kind) ? 'an' : 'a')

/** Throws where the caller sees the repository but may not read this of it. `needed` as in `issues=read`. */
export function demand({ ask, headers }: GraphContext, repository: Repository, needed: string) {
  const { principal } = ask
  const reason = lacking(principal, repository, needed)
  if (!reason) return
  const by = principal.kind === 'installation' ? 'integration' : 'personal access token'
  if (reason === 'permission') {
    throw problem('FORBIDDEN', `Resource not accessible by ${by}`, { saml_failure: false })
  }
  const page = `https://github.com/orgs/${repository.body.owner.login}/sso`
  headers.push('X-GitHub-SSO', `required; url=${page}?authorization_request=A4T2D7`)
  throw problem(
    'FORBIDDEN',
    'Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.',
    { saml_failure: true },
  )
}
