import type { components } from '@octokit/openapi-types'
import type { GitHub } from '../../core/github.ts'

interface Name {
  readonly owner: string
  readonly repo: string
}

/**
 * What a repository is called now, as one of its own things tells it. Where a list has none, GitHub is
 * asked: what is refused under the present name is not answered under a former one.
 * @throws ServiceError as `GitHub.get`
 */
export async function presentName(
  github: GitHub,
  asked: Name,
  told: Name | undefined,
): Promise<Name> {
  if (told) return told
  const params = { owner: asked.owner, repo: asked.repo }
  const { name, owner } = await github.get<components['schemas']['full-repository']>(
    '/repos/{owner}/{repo}',
    'full_name',
    { params },
  )
  return { owner: owner.login, repo: name }
}
