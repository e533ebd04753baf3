/** Whether somebody waits for the answer. */
export type Urgency = 'interactive' | 'background'

/** What a provider may ask of GitHub. The caller's credential, abort signal and call count are bound in. */
export interface GitHub {
  /**
   * One resource as JSON.
   * @param path template with `{name}` places, filled and encoded from `params`
   * @param mark a field that every such resource has: what lacks it is not what was asked for
   * @throws ServiceError `not_found`, `upstream_*`
   */
  get<T>(path: string, mark: keyof T & string, options?: GetOptions): Promise<T>
  /**
   * One resource's bytes as they are, in GitHub's raw media type.
   * @throws ServiceError as `get`
   */
  bytes(path: string, options?: GetOptions): Promise<Buffer>
  /**
   * A window of a list. Pages after the first are fetched side by side.
   * @throws ServiceError as `get`
   */
  list<T>(path: string, options: ListOptions<T>): Promise<Listing<T>>
  /**
   * The end of a text that GitHub keeps in a store of its own, such as a job's log, without what only
   * a terminal reads. The store never sees the credential.
   * @throws ServiceError `not_found` also for what GitHub no longer keeps, else as `get`
   */
  download(path: string, options: DownloadOptions): Promise<Download>
  /**
   * One GraphQL query. Needs a credential: GitHub answers anonymous callers with 401. What GitHub
   * could not give of it makes all of it fail.
   * @param query a single operation that reads: a mutation is not sent
   * @throws ServiceError `upstream_forbidden` also without a credential, else as `get`
   */
  graphql<T>(query: string, variables: Readonly<Record<string, unknown>>): Promise<T>
}

export interface GetOptions {
  readonly params?: Readonly<Record<string, string | number>>
  readonly query?: Readonly<Record<string, string | number | undefined>>
  /** Another form than GitHub's usual JSON (docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api, "media types"). */
  readonly media?: 'object' | 'text-match'
}

export interface DownloadOptions extends GetOptions {
  /** Bytes of its end that are wanted at most. */
  readonly tail: number
}

export interface Download {
  /** From the start of a line on, where it is not all. */
  readonly text: string
  /** Bytes before `text`. */
  readonly skipped: number
}

export interface ListOptions<T = unknown> extends GetOptions {
  /** Entries to skip. */
  readonly offset?: number
  /** Entries wanted at most. */
  readonly limit: number
  /** Asks for all pages of the window at once, without waiting for the first to say how many there are. */
  readonly eager?: boolean
  /** Entries of a page, where the resource has a size of its own that cannot be asked for. */
  readonly fixedPage?: number
  /** The field that holds the list, where GitHub answers an object: `items`, `check_runs`. */
  readonly under?: string
  /** What is wanted of an entry, before that is cleaned: the rest is let go as soon as a page was read. */
  readonly pick?: (entry: never) => T
}

export interface Listing<T> {
  readonly items: readonly T[]
  /** Whether GitHub has entries after the last of `items`. */
  readonly more: boolean
  /** The first page's object, where the list is `under` a field of it: holds `total_count` and the like. */
  readonly head?: unknown
  /** Why the window is shorter than asked though there is more, where a cap of ours or GitHub's cut it. */
  readonly capped?: 'pages' | 'bytes'
}
