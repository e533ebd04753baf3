import { ServiceError } from '../../core/errors.ts'

/** GitHub says 422 of a sha or branch that it does not find, as of parameters that make no sense. */
export const absentWhere422 = (what: string) => (error: unknown) => {
  if (!(error instanceof ServiceError) || error.upstreamStatus !== 422) throw error
  throw new ServiceError(
    'not_found',
    `GitHub finds no ${what} of this name in the repository. Check its spelling; a shortened sha needs seven digits at least.`,
    { upstreamStatus: 422, cause: error },
  )
}
