import type { TextKind } from '../../core/provider.ts'

/** Fields of GitHub's answers that hold code: REST's, and GraphQL's. */
const CODE = new Set(['content', 'diffHunk', 'diff_hunk', 'fragment', 'patch', 'text'])
/** Fields that hold a name or title. */
const LINE = new Set([
  'filename',
  'full_name',
  'fullName',
  'label',
  'login',
  'name',
  'nameWithOwner',
  'path',
  'previous_filename',
  'ref',
  'tag_name',
  'tagName',
  'title',
])
const MARKDOWN_FILE = /(?:\.(?:markdown|md|mdown|mdx|mkd|mkdn)|(?:^|\/)readme)$/i

/** What the field `key` of `parent` holds. */
export function kindOfField(key: string, parent: object): TextKind {
  if (LINE.has(key)) return 'line'
  if (!CODE.has(key)) return 'markdown'
  // A check's output, and what search found in a text that is no file's.
  if (key === 'text' && 'summary' in parent) return 'markdown'
  if (key === 'fragment' && 'property' in parent && parent.property !== 'content') return 'markdown'
  return 'code'
}

/** What the file at `path` holds. */
export function kindOfFile(path: string): TextKind {
  return MARKDOWN_FILE.test(path) ? 'markdown' : 'code'
}
