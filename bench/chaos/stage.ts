import type { Judge, Question } from './judge.ts'
import type { Ask, Replicas } from './replicas.ts'
import type { Tally } from './tally.ts'
import { OPEN, type Who, type World } from './world.ts'

export interface Stage {
  readonly world: World
  readonly replicas: Replicas
  readonly tally: Tally
  readonly judge: Judge
  /** Header of the key that callers have. */
  readonly key: string
}

export const jsonType = { 'content-type': 'application/json' }

/** How `who` shows who it is: by the service's key alone, or with a token of its own. */
export function headersOf({ world, key }: Stage, who: Who): Record<string, string> {
  const own: Record<string, string> =
    who === 'service' ? {} : { 'x-github-token': world.token(who) }
  return { authorization: `Bearer ${key}`, ...own }
}

export const pathOf = ({ owner, name }: { owner: string; name: string }) => `${owner}/${name}`

export function readable({ world }: Stage, who: Who) {
  return world.repositories.filter(({ readers }) => readers.includes(who))
}

/** A request for one issue, or for a repository's list. */
export function contextOf({ repository, number, maxAge }: Omit<Question, 'who' | 'need'>) {
  const [owner, repo] = repository.split('/')
  const bound = maxAge === undefined ? {} : { max_age: maxAge }
  return number === undefined
    ? { context_type: 'github_issues', params: { owner, repo }, ...bound }
    : { context_type: 'github_issue', params: { owner, repo, issue_number: number }, ...bound }
}

export function askFor(stage: Stage, question: Question, accept = 'application/json'): Ask {
  const headers = { ...headersOf(stage, question.who), ...jsonType, accept }
  return {
    method: 'POST',
    path: '/mcp/context',
    headers,
    body: JSON.stringify(contextOf(question)),
  }
}

/** One that everybody may read, as it is now. */
export const anOpenIssue = (who: Who, number = 1): Question => ({
  who,
  repository: pathOf(OPEN),
  number,
  maxAge: 0,
  need: 'github',
})
