import type { RepositoryWord } from '../../core/provider.ts'

/** As GitHub's answers name a repository within others. */
interface Named {
  readonly full_name: string
  readonly private: boolean
  readonly visibility?: string
}

/** What a repository within an answer says of who may read it. */
export function repositoryWord({
  full_name,
  private: isPrivate,
  visibility,
}: Named): RepositoryWord {
  const [owner = '', repo = ''] = full_name.split('/')
  // `internal` ones, of an enterprise, are private too (docs.github.com/rest/repos/repos).
  const isPublic = isPrivate === false && (visibility ?? 'public') === 'public'
  return { owner, repo, visibility: isPublic ? 'public' : 'private' }
}
