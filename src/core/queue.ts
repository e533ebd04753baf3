/** Who waits, in the order of arrival; anyone may leave at any time. */
export interface Queue<T> extends Iterable<T> {
  /** @returns what takes it out again, and tells whether it was still there */
  add(item: T): () => boolean
  first(): T | undefined
  size(): number
}

interface Place<T> {
  readonly item: T
  before: Place<T> | undefined
  behind: Place<T> | undefined
}

/**
 * Unlike a `Set`, it holds nothing of who left. V8 makes a set's table anew when enough have come and
 * gone, and the table before points to it, for iterators that are on their way
 * (`OrderedHashTable::Rehash`, src/objects/ordered-hash-table.cc). As soon as one of these tables is old,
 * those that follow outlive every collection of what is young, and so does all that was in them when they
 * were made, until V8 looks through the whole heap: of a set of eight that many pass, all that passes.
 * Nor has it getters, as nothing has that is made for each request: V8 makes a hidden class for each
 * object whose getter is a function of its own, and that class, old from the start, holds the function
 * and all that it sees until then. Nor is a function assigned to a property in the same expression that
 * makes it: V8 takes it for a method, of something that stays, and makes it old from the start as well
 * (`CheckAssigningFunctionLiteralToProperty`, src/parsing/parser.h).
 */
export function createQueue<T>(): Queue<T> {
  let head: Place<T> | undefined
  let tail: Place<T> | undefined
  let size = 0

  function remove(place: Place<T>): boolean {
    const { before, behind } = place
    if (!before && head !== place) return false
    if (before) before.behind = behind
    else head = behind
    if (behind) behind.before = before
    else tail = before
    // What is old must not point to what is young.
    place.before = undefined
    place.behind = undefined
    size -= 1
    return true
  }

  return {
    add(item) {
      const place: Place<T> = { item, before: tail, behind: undefined }
      if (tail) tail.behind = place
      else head = place
      tail = place
      size += 1
      return () => remove(place)
    },
    first: () => head?.item,
    size: () => size,
    /** Of those who wait now: who leaves meanwhile is told of too. */
    [Symbol.iterator]() {
      const items: T[] = []
      for (let place = head; place; place = place.behind) items.push(place.item)
      return items.values()
    },
  }
}
