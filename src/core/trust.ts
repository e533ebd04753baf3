import { Type } from '@sinclair/typebox'
import type { Source } from './provider.ts'

/** From the least to the most trusted. */
const LEVELS = ['stranger', 'contributor', 'maintainer'] as const
export type Trust = (typeof LEVELS)[number]

export const Trust = Type.Union(
  [Type.Literal('stranger'), Type.Literal('contributor'), Type.Literal('maintainer')],
  {
    description:
      '`maintainer`: the repository, its owners, members and collaborators; `contributor`: has commits in it; `stranger`: everybody else',
  },
)

/** GitHub's `author_association` values (docs.github.com/graphql/reference/enums#commentauthorassociation). */
const MAINTAINERS = new Set(['OWNER', 'MEMBER', 'COLLABORATOR'])

export function trustOf(by: Source): Trust {
  if (by === 'service' || by === 'repository') return 'maintainer'
  if (MAINTAINERS.has(by.association)) return 'maintainer'
  return by.association === 'CONTRIBUTOR' ? 'contributor' : 'stranger'
}

export function isTrusted(by: Source, least: Trust): boolean {
  return LEVELS.indexOf(trustOf(by)) >= LEVELS.indexOf(least)
}

/** The lowest of all. */
export function leastTrust(sources: readonly Source[]): Trust {
  const known = new Set(sources.map(trustOf))
  return LEVELS.find((level) => known.has(level)) ?? 'maintainer'
}
