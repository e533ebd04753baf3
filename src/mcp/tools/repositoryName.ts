import { invalid } from '../../core/errors.ts'
import type { Arguments } from './tool.ts'

/**
 * Arguments with owner and name apart: models like to write `owner/repo` in one, in `repo` or as
 * `repository`.
 * @throws ServiceError `invalid_request`
 */
export function splitName(args: Arguments): Arguments {
  const { owner, repo, repository, ...rest } = args
  const whole = repository ?? (owner === undefined ? repo : undefined)
  if (typeof whole !== 'string' || !whole.includes('/')) return args
  const [first, second, ...more] = whole.split('/')
  if (more.length > 0) throw invalid('/repository', 'must be owner/repo')
  return { ...rest, owner: first, repo: second }
}
