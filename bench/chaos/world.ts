import {
  addAccount,
  addComments,
  addIssue,
  addRepository,
  type GitHub,
  grant,
  issueOf,
  recordedWorld,
  revoke,
  rotateToken,
  startGitHub,
  updateIssue,
} from '../../test/support/github/index.ts'

/*
 * A GitHub whose every text says where it belongs and how new it is, and the ledger by which answers
 * are judged: when each version was the present one, and what GitHub said to whom, and when.
 */

export type Who = 'service' | 'ann' | 'bob'

export interface RepositoryName {
  readonly owner: string
  readonly name: string
  /** Whose credential reads it at the start. */
  readonly readers: readonly Who[]
}

export const OPEN = { owner: 'acme', name: 'open', readers: ['service', 'ann', 'bob'] } as const
export const SHARED = { owner: 'acme', name: 'shared', readers: ['ann', 'bob'] } as const
const REPOSITORIES: readonly RepositoryName[] = [
  OPEN,
  SHARED,
  { owner: 'ann', name: 'private', readers: ['ann'] },
  { owner: 'bob', name: 'private', readers: ['bob'] },
]
export const ISSUES = 12

/** What a text of GitHub's says of itself. */
export interface Marker {
  readonly repository: string
  readonly number: number
  readonly version: number
}

interface Version {
  /** Epoch milliseconds. */
  readonly from: number
  until: number
}

export interface World {
  readonly github: GitHub
  readonly repositories: readonly RepositoryName[]
  token(who: Who): string
  /** A new token; the old one is refused from now on. */
  rotate(who: Who): void
  /** The very token that `who` had before. */
  restore(who: Who, token: string): void
  /** Takes `acme/shared` from bob, or gives it back. */
  share(granted: boolean): void
  /** Writes the next version of an issue. */
  edit(repository: string, number: number): void
  /** When a version became the present one and when it ceased to be; undefined where there is none. */
  version(marker: Marker): Version | undefined
  /** Whether GitHub said that version to `who`, or confirmed it, at that time or after. */
  said(who: Who, marker: Marker, notBefore: number): boolean
}

const MARKER = /\bcanary-([a-z]+)-([a-z]+)-(\d+)-v(\d+)\b/g

export function textOf({ repository, number, version }: Marker): string {
  return `canary-${repository.replace('/', '-')}-${number}-v${version}`
}

/** Every marker in an answer, whatever its form. */
export function markersIn(text: string): Marker[] {
  return [...text.matchAll(MARKER)].map(([, owner, name, number, version]) => ({
    repository: `${owner}/${name}`,
    number: Number(number),
    version: Number(version),
  }))
}

const tokenOf = (who: Who, turn: number) => `ghp_${`${who}${turn}`.padEnd(36, '0')}`

export async function startWorld(): Promise<World & AsyncDisposable> {
  const world = recordedWorld()
  world.limits.core = 1_000_000_000
  world.limits.graphql = 1_000_000_000
  const turns: Record<Who, number> = { service: 1, ann: 1, bob: 1 }
  for (const who of ['service', 'ann', 'bob'] as const)
    addAccount(world, { login: who, token: tokenOf(who, 1) })
  const versions = new Map<string, Version[]>()
  const began = world.now()
  for (const { owner, name, readers } of REPOSITORIES) {
    const repository = `${owner}/${name}`
    const isPrivate = repository !== 'acme/open'
    addRepository(world, { owner, name, private: isPrivate, readers: [...readers] })
    for (let number = 1; number <= ISSUES; number += 1) {
      const text = textOf({ repository, number, version: 1 })
      const issue = addIssue(world, repository, { number, title: text, body: `${text}\n${filler}` })
      addComments(world, issue, 1, () => ({ body: `About ${repository} ${number}.` }))
      versions.set(`${repository}#${number}`, [{ from: began, until: Number.POSITIVE_INFINITY }])
    }
  }
  const github = await startGitHub({ world, latencyMs: 5, logSize: 10_000_000 })
  const log = createLog(github)
  return {
    github,
    repositories: REPOSITORIES,
    token: (who) => tokenOf(who, turns[who]),
    rotate(who) {
      turns[who] += 1
      rotateToken(world, who, tokenOf(who, turns[who]))
    },
    restore(who, token) {
      turns[who] -= 1
      rotateToken(world, who, token)
    },
    share(granted) {
      if (granted) grant(world, 'bob', 'acme/shared')
      else revoke(world, 'bob', 'acme/shared')
    },
    edit(repository, number) {
      const known = versions.get(`${repository}#${number}`) ?? []
      const text = textOf({ repository, number, version: known.length + 1 })
      const last = known.at(-1)
      const now = world.now()
      if (last) last.until = now
      known.push({ from: now, until: Number.POSITIVE_INFINITY })
      const issue = issueOf(world, repository, number)
      updateIssue(world, issue, { title: text, body: `${text}\n${filler}` })
    },
    version: ({ repository, number, version }) =>
      versions.get(`${repository}#${number}`)?.[version - 1],
    said(who, marker, notBefore) {
      const found = versions.get(`${marker.repository}#${marker.number}`)?.[marker.version - 1]
      if (!found) return false
      const list = `/repos/${marker.repository}/issues`
      return [`${list}/${marker.number}`, list].some((path) =>
        log.times(who, path).some((at) => at >= notBefore && at >= found.from && at <= found.until),
      )
    },
    [Symbol.asyncDispose]: () => github.close(),
  }
}

const filler =
  'When the server restarts while a request waits, the login page shows an error. '.repeat(6)

/** When GitHub answered which request of whom in truth: 200 or 304, without a fault. */
function createLog(github: GitHub) {
  const known = new Map<string, number[]>()
  let read = 0
  return {
    times(who: Who, path: string): readonly number[] {
      for (; read < github.requests.length; read += 1) {
        const record = github.requests[read]
        if (!record || record.fault || (record.status !== 200 && record.status !== 304)) continue
        const key = `${record.principal} ${record.path.split('?', 1)[0]}`
        const times = known.get(key)
        if (times) times.push(record.at)
        else known.set(key, [record.at])
      }
      return known.get(`${who} ${path}`) ?? []
    },
  }
}
