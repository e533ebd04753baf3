import { LRUCache } from 'lru-cache'
import { ServiceError } from '../core/errors.ts'
import type { AppCalls } from './appCalls.ts'

/** Where an App is installed. */
export interface Installations {
  /**
   * The App's installation on an account, or undefined where it has none.
   * @param owner login in lower case
   * @throws ServiceError when GitHub cannot say and nothing is remembered
   */
  find(owner: string): number | undefined | Promise<number | undefined>
  /** An installation is no more: its account is asked for anew. */
  forget(id: number): void
}

export interface InstallationOptions {
  readonly calls: Pick<AppCalls, 'ask'>
  readonly now: () => number
  /** Whether something happened to the account's installations since then. */
  readonly changedSince: (owner: string, at: number) => boolean
}

interface Known {
  readonly id: number | undefined
  /** When GitHub was asked. */
  readonly asOf: number
  /** When to ask again. */
  readonly askAt: number
}

/** Milliseconds. */
const FOUND_FOR = 3_600_000
const MISSING_FOR = 60_000
/** Milliseconds for which what was found stands in for GitHub's answer: no kept answer lives longer. */
const KEPT_FOR = 86_400_000
/** Accounts remembered at most: callers choose the names. */
const MOST = 10_000

/**
 * One question finds installations on users and on organisations alike
 * (github.com/actions/create-github-app-token does the same).
 */
const PATH = '/users/{owner}/installation'

export function createInstallations(options: InstallationOptions): Installations {
  const { calls, changedSince, now } = options
  const memory = new LRUCache<string, Known>({ max: MOST })
  const asking = new Map<string, Promise<number | undefined>>()

  function ask(owner: string): Promise<number | undefined> {
    const running = asking.get(owner)
    if (running) return running
    const asOf = now()
    const question = installationOf(calls, owner)
      .then((id) => {
        memory.set(owner, { id, asOf, askAt: asOf + (id === undefined ? MISSING_FOR : FOUND_FOR) })
        return id
      })
      .finally(() => asking.delete(owner))
    asking.set(owner, question)
    return question
  }

  /** Nobody waits for it: requests go on with what is known, which GitHub refuses if it is no more. */
  function askBehind(owner: string, known: Known): void {
    memory.set(owner, { ...known, askAt: now() + MISSING_FOR })
    ask(owner).catch(() => {})
  }

  return {
    find(owner) {
      const known = memory.get(owner)
      if (!known || changedSince(owner, known.asOf)) return ask(owner)
      if (now() < known.askAt) return known.id
      if (known.id === undefined || now() > known.asOf + KEPT_FOR) return ask(owner)
      askBehind(owner, known)
      return known.id
    },
    forget(id) {
      for (const [owner, known] of memory) if (known.id === id) memory.delete(owner)
    },
  }
}

async function installationOf(
  calls: Pick<AppCalls, 'ask'>,
  owner: string,
): Promise<number | undefined> {
  try {
    const path = PATH.replace('{owner}', encodeURIComponent(owner))
    return (await calls.ask<{ id: number }>('GET', path)).id
  } catch (error) {
    if (error instanceof ServiceError && error.upstreamStatus === 404) return undefined
    throw error
  }
}
