import { providers } from '../../../src/context/registry.ts'
import type { Params } from './client.ts'

/** One call of every tool that works on recorded answers: the types' own examples, and those of the rest. */
export const EXAMPLES: Readonly<Record<string, Params>> = {
  github_context: { url: 'https://github.com/octocat/Hello-World/issues/1347' },
  ...Object.fromEntries(providers.map(({ example, type }) => [type, example as Params])),
  github_list_issues: { repository: 'octocat/Hello-World', state: 'all', limit: 5 },
  github_create_issue: { repository: 'octocat/Hello-World', title: 'Found another bug' },
  github_add_comment: { repository: 'octocat/Hello-World', issue_number: 1347, body: 'Me too' },
}
