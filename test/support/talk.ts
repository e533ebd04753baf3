import { type App, type Block, startApp } from './app.ts'
import { addFiles, addRepository, type GitHub, OCTOCAT_TOKEN, startGitHub } from './github/index.ts'

/** A service that may ask as often as it likes, and GitHub with a repository that has one file. */
export const TALK = 'octo/talk'
export const TALK_ENV = {
  GITHUB_TOKEN: OCTOCAT_TOKEN,
  RATE_LIMIT_MAX: '1000000',
  GITHUB_POINTS_PER_MINUTE: '1000000',
}

export async function startTalk(): Promise<{ github: GitHub; app: App }> {
  const github = await startGitHub()
  Object.assign(github.world.limits, { core: 1_000_000, graphql: 1_000_000 })
  github.world.anonymousLimits.core = 1_000_000
  addRepository(github.world, { owner: 'octo', name: 'talk', default_branch: 'main' })
  addFiles(github.world, TALK, { 'src/login.ts': 'one\n' }, { branch: 'main' })
  return { github, app: await startApp({ github, env: TALK_ENV }) }
}

/** Entries of a list of all blocks that have it. */
export const entriesIn = <T = Record<string, unknown>>(
  blocks: readonly Block[],
  field: string,
): T[] => blocks.flatMap((one) => (one[field] ?? []) as T[])
