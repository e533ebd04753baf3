/** What is known of each of many names, while there is something to know. */
export interface Roster<T> {
  /** What there is of the name, made where there is nothing. Until it is used it may be forgotten. */
  of(name: string): T
  /** The same, where there is something. */
  find(name: string): T | undefined
}

/** Names that are kept before it is looked which of them may go. */
const FEW = 256

/**
 * Who has gone stays until there are many, as most come again at once: a map that one entry goes in and
 * out of makes a new table each time, and V8 holds every one of them until it looks through the whole
 * heap (see `createQueue`). That was most of what outlived a request.
 */
export function createRoster<T>(
  make: (name: string) => T,
  isIdle: (item: T) => boolean,
): Roster<T> {
  let items = new Map<string, T>()
  let most = FEW

  function forgetIdle(): void {
    items = new Map([...items].filter(([, item]) => !isIdle(item)))
    most = Math.max(FEW, 2 * items.size)
  }

  return {
    find: (name) => items.get(name),
    of(name) {
      const known = items.get(name)
      if (known !== undefined) return known
      if (items.size >= most) forgetIdle()
      const item = make(name)
      items.set(name, item)
      return item
    },
  }
}
