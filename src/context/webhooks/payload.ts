/**
 * The parts of a webhook's payload that say what it is about. Everything may be missing or of another
 * kind: the event's name stands in a header, which the signature does not cover.
 */
export interface Payload {
  readonly action?: unknown
  readonly repository?: unknown
  readonly organization?: Account
  readonly account?: Account
  readonly installation?: { readonly account?: Account; readonly events?: unknown }
  /** Of a ping: the hook itself. */
  readonly hook?: { readonly events?: unknown; readonly type?: unknown }
  readonly changes?: {
    readonly repository?: { readonly name?: { readonly from?: unknown } }
    readonly owner?: {
      readonly from?: { readonly user?: Account; readonly organization?: Account }
    }
    readonly login?: { readonly from?: unknown }
  }
  readonly issue?: Numbered & { readonly pull_request?: unknown }
  readonly pull_request?: Numbered
  readonly discussion?: Numbered
  readonly parent_issue?: Numbered
  readonly parent_issue_repo?: unknown
  readonly sub_issue?: Numbered
  readonly sub_issue_repo?: unknown
  readonly check_run?: Checked & { readonly check_suite?: Checked }
  readonly check_suite?: Checked
  readonly workflow_run?: Checked
  readonly workflow_job?: Checked
  /** Of a push. */
  readonly ref?: unknown
  /** Of a status. */
  readonly sha?: unknown
  readonly branches?: unknown
}

interface Account {
  readonly login?: unknown
}

interface Numbered {
  readonly number?: unknown
}

/** What has been checked: a commit, and the branch and pull requests that it is the head of. */
export interface Checked {
  readonly head_sha?: unknown
  readonly head_branch?: unknown
  readonly pull_requests?: unknown
}

/** Owner and name, in lower case. */
export type RepositoryName = readonly [owner: string, repo: string]

export function repositoryOf(repository: unknown): RepositoryName | undefined {
  const { full_name } = (repository ?? {}) as { full_name?: unknown }
  return typeof full_name === 'string' ? splitName(full_name) : undefined
}

export function numberOf(thing: Numbered | null | undefined): number | undefined {
  return typeof thing?.number === 'number' ? thing.number : undefined
}

/** The texts among the values, each once. */
export function textsOf(...values: readonly unknown[]): string[] {
  return [
    ...new Set(values.filter((value) => typeof value === 'string' && value !== '')),
  ] as string[]
}

/** The accounts that a payload names as having their members, installations or name changed. */
export function accountsOf(payload: Payload): string[] {
  const { account, changes, installation, organization, repository } = payload
  const logins = textsOf(
    organization?.login,
    installation?.account?.login,
    account?.login,
    changes?.login?.from,
    repositoryOf(repository)?.[0],
  )
  return [...new Set(logins.map((login) => login.toLowerCase()))]
}

/** A repository's present name and the one that it had before, where the payload tells of a change. */
export function namesOf({ changes }: Payload, [owner, repo]: RepositoryName): RepositoryName[] {
  const { from } = changes?.owner ?? {}
  const [oldOwner = owner] = textsOf(from?.user?.login, from?.organization?.login)
  const [oldRepo = repo] = textsOf(changes?.repository?.name?.from)
  const old: RepositoryName = [oldOwner.toLowerCase(), oldRepo.toLowerCase()]
  return old[0] === owner && old[1] === repo ? [[owner, repo]] : [[owner, repo], old]
}

/** Numbers of the repository's own pull requests whose head was checked; forks list theirs as well. */
export function pullsOf(
  checked: readonly (Checked | undefined)[],
  [owner, repo]: RepositoryName,
): number[] {
  const pulls = checked.flatMap((one) =>
    Array.isArray(one?.pull_requests) ? one.pull_requests : [],
  )
  const own = pulls.filter((pull) => {
    const url = pull?.base?.repo?.url
    return typeof url === 'string' && url.toLowerCase().endsWith(`/repos/${owner}/${repo}`)
  })
  return [...new Set(own.flatMap((pull) => numberOf(pull) ?? []))]
}

/** Names of the branches that a status is on. */
export function branchesOf({ branches }: Payload): string[] {
  return Array.isArray(branches) ? textsOf(...branches.map((branch) => branch?.name)) : []
}

function splitName(name: string): RepositoryName | undefined {
  const [owner, repo, ...rest] = name.toLowerCase().split('/')
  return owner && repo && rest.length === 0 ? [owner, repo] : undefined
}

/** All events that the hook sends, where the payload lists them. */
export function eventsOf({ hook, installation }: Payload): string[] | undefined {
  const events = hook?.events ?? installation?.events
  return Array.isArray(events) ? textsOf(...events) : undefined
}

/**
 * What the hook that sent it tells of, as far as one delivery shows: an organization's hook of all
 * that it has, others of the repository at hand.
 */
export function hookScopeOf(
  payload: Payload,
  target: string,
): RepositoryName | readonly [owner: string] | undefined {
  const { hook, organization, repository } = payload
  const [account] = textsOf(organization?.login)
  const isOfAccount = target === 'organization' || hook?.type === 'Organization'
  if (isOfAccount && account !== undefined) return [account.toLowerCase()]
  return repositoryOf(repository)
}

/** Times that GitHub itself puts on things: the payload is of then or later. */
const TIMED = [
  'issue',
  'pull_request',
  'comment',
  'discussion',
  'workflow_run',
  'repository',
] as const

/** Epoch milliseconds; the latest time at which the payload surely was GitHub's word. */
export function saidAt(payload: Payload): number {
  const things = payload as Readonly<Record<string, { readonly updated_at?: unknown } | undefined>>
  const times = TIMED.map((name) => Date.parse(String(things[name]?.updated_at)))
  return Math.max(-1, ...times.filter((time) => !Number.isNaN(time)))
}
