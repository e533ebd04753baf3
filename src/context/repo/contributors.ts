import type { components } from '@octokit/openapi-types'
import type { GitHub } from '../../core/github.ts'
import type { Piece } from '../../core/provider.ts'
import type { PartWindow } from '../common/partWindow.ts'
import { facts } from '../common/render.ts'

const USUAL = 30

/** Who has the most commits, in GitHub's order; undefined where nobody has any. */
export async function readContributors(
  github: GitHub,
  place: { readonly owner: string; readonly repo: string },
  rank: number,
  { limit = USUAL, offset = 0 }: PartWindow = {},
) {
  const path = '/repos/{owner}/{repo}/contributors'
  const { items, more } = await github.list<components['schemas']['contributor']>(path, {
    params: { ...place },
    offset,
    limit,
  })
  if (items.length === 0) return undefined
  const contributors = items.map(({ contributions, login = 'ghost' }) => ({
    login,
    commits: contributions,
  }))
  const text = contributors.map(({ login, commits }) => `${login} ${commits}`).join(', ')
  const piece: Piece = {
    part: 'contributors',
    text: facts({ 'Contributors, with commits': text }),
    by: 'service',
    rank,
    whole: true,
  }
  const next = (window: PartWindow) => ({
    context_type: 'github_repo',
    params: { ...place, include: ['contributors'], ...window },
  })
  const rest = next({ offset: offset + items.length, limit })
  return {
    pieces: [piece],
    fields: () => ({ contributors }),
    next: next({ offset, limit: items.length }),
    omitted: more ? [{ what: 'contributors', reason: 'limit', next: rest }] : [],
  }
}
