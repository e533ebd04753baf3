/**
 * Names of what answers depend on. Providers tag their answers with them, webhooks mark them; names
 * of accounts and repositories are in lower case on both sides.
 */

export const repositoryTag = (owner: string, repo: string) => `repo:${owner}/${repo}`
export const issueTag = (owner: string, repo: string, number: number) =>
  `issue:${owner}/${repo}#${number}`
export const issuesTag = (owner: string, repo: string) => `issues:${owner}/${repo}`

/** Everything of a principal: marked when GitHub refuses its credential. */
export const principalTag = (principal: string) => `principal:${principal}`
/** Everything of a repository: marked when it is renamed, deleted or made private. */
export const repositoryAccessTag = (owner: string, repo: string) => `access:${owner}/${repo}`
/** Everything of an account's repositories: marked when members or installations change. */
export const ownerAccessTag = (owner: string) => `access:${owner}`
