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
   * A window of a list. Pages after the first are fetched side by side.
   * @throws ServiceError as `get`
   */
  list<T>(path: string, options: ListOptions): Promise<Listing<T>>
}

export interface GetOptions {
  readonly params?: Readonly<Record<string, string | number>>
  readonly query?: Readonly<Record<string, string | number | undefined>>
}

export interface ListOptions extends GetOptions {
  /** Entries to skip. */
  readonly offset?: number
  /** Entries wanted at most. */
  readonly limit: number
  /** Asks for all pages of the window at once, without waiting for the first to say how many there are. */
  readonly eager?: boolean
}

export interface Listing<T> {
  readonly items: readonly T[]
  /** Whether GitHub has entries after the last of `items`. */
  readonly more: boolean
  /** Why the window is shorter than asked though there is more, where a cap of ours or GitHub's cut it. */
  readonly capped?: 'pages' | 'bytes'
}
