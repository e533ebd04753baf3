/** The sets of tools, each with the names that begin so; the first that fits is a tool's own. */
const SETS: readonly (readonly [name: string, beginnings: readonly string[]])[] = [
  ['pull_requests', ['github_pull_request', 'github_compare']],
  ['issues', ['github_issue', 'github_comment']],
  ['code', ['github_file', 'github_tree', 'github_code', 'github_blame', 'github_commit']],
  ['actions', ['github_workflow', 'github_check']],
  ['discussions', ['github_discussion']],
  ['docs', ['docs_']],
]
/** Of every tool that is in no other. */
const GENERAL = 'context'

/** Names of all sets. */
export const TOOLSETS: readonly string[] = [GENERAL, ...SETS.map(([name]) => name)]

export function toolsetOf(name: string): string {
  const found = SETS.find(([, beginnings]) => beginnings.some((start) => name.startsWith(start)))
  return found?.[0] ?? GENERAL
}
