import type { ApiVersion } from './types.ts'

/** What API version 2026-03-10 removed, from `x-github-breaking-changes` in GitHub's OpenAPI description. */
const REMOVED = {
  repository: ['has_downloads', 'use_squash_pr_title_as_default'],
  issue: ['assignee'],
  root: ['authorizations_url', 'hub_url'],
  organization: ['secret_scanning_push_protection_custom_link_enabled'],
  rateLimit: ['rate'],
  other: [],
} as const satisfies Record<string, readonly string[]>

export type Kind = keyof typeof REMOVED

const texts = new WeakMap<object, { [version in ApiVersion]?: string }>()

/** Bodies are frozen, so the text of a body never changes and is made once. */
export function serialise(kind: Kind, version: ApiVersion, body: object): string {
  const known = texts.get(body) ?? {}
  texts.set(body, known)
  known[version] ??= JSON.stringify(forVersion(kind, version, body))
  return known[version]
}

export function forVersion(kind: Kind, version: ApiVersion, body: object): object {
  const removed: readonly string[] = REMOVED[kind]
  if (version === '2022-11-28' || removed.length === 0) return body
  return Object.fromEntries(Object.entries(body).filter(([key]) => !removed.includes(key)))
}
