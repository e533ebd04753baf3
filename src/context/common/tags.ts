/**
 * Names of what answers depend on. Providers tag their answers with them, webhooks mark them; names
 * of accounts and repositories are in lower case on both sides, those of refs are not.
 */

export const repositoryTag = (owner: string, repo: string) => `repo:${owner}/${repo}`
/** The head of one branch: marked by pushes to it. */
export const branchTag = (owner: string, repo: string, branch: string) =>
  `branch:${owner}/${repo}@${branch}`
/** What branches and tags lead to: the refs, and contents, trees, readme and commits by them. */
export const refsTag = (owner: string, repo: string) => `refs:${owner}/${repo}`

export const issueTag = (owner: string, repo: string, number: number) =>
  `issue:${owner}/${repo}#${number}`
export const issuesTag = (owner: string, repo: string) => `issues:${owner}/${repo}`

/** A pull request with its files, commits, reviews and comments. */
export const pullTag = (owner: string, repo: string, number: number) =>
  `pull:${owner}/${repo}#${number}`
export const pullsTag = (owner: string, repo: string) => `pulls:${owner}/${repo}`

/** Checks, statuses and runs of a commit, by its sha or by the branch that it is the head of. */
export const checksTag = (owner: string, repo: string, ref: string) =>
  `checks:${owner}/${repo}@${ref}`
/** Those of a pull request's head: apart from the pull request, as they change far more often. */
export const pullChecksTag = (owner: string, repo: string, number: number) =>
  `checks:${owner}/${repo}#${number}`

/** Runs of GitHub Actions, with their jobs. */
export const runsTag = (owner: string, repo: string) => `runs:${owner}/${repo}`

export const releasesTag = (owner: string, repo: string) => `releases:${owner}/${repo}`

export const discussionTag = (owner: string, repo: string, number: number) =>
  `discussion:${owner}/${repo}#${number}`
export const discussionsTag = (owner: string, repo: string) => `discussions:${owner}/${repo}`

/** Everything of a principal: marked when GitHub refuses its credential. */
export const principalTag = (principal: string) => `principal:${principal}`
/** Everything of a repository: marked when it is renamed, deleted or made private. */
export const repositoryAccessTag = (owner: string, repo: string) => `access:${owner}/${repo}`
/** Everything of an account's repositories: marked when members or installations change. */
export const ownerAccessTag = (owner: string) => `access:${owner}`

/** The one that names a repository among an answer's tags. */
export const accessTagOf = (tags: readonly string[]): string | undefined =>
  tags.find((tag) => tag.startsWith('access:') && tag.includes('/'))
