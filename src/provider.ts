/**
 * What a provider from outside is made of, as `github-context-service/provider`: modules that
 * `PROVIDERS` names import it by that name, wherever they lie.
 */
export { type Static, type TObject, Type } from '@sinclair/typebox'
export { invalid, type ProblemCode, type ProblemOptions, ServiceError } from './core/errors.ts'
export type {
  Download,
  DownloadOptions,
  GetOptions,
  GitHub,
  Listing,
  ListOptions,
} from './core/github.ts'
export {
  type Answer,
  type Author,
  type CachePolicy,
  type Draft,
  defineProvider,
  type FetchContext,
  type FitReason,
  type Kept,
  type Piece,
  type Provider,
  type Source,
} from './core/provider.ts'
export { oneLine } from './core/quote.ts'
export {
  blockFields,
  Nullable,
  type Omission,
  Owner,
  Path,
  Ref,
  Repo,
  repositoryParams,
  Timestamp,
} from './core/schemas.ts'
