/** What a `Map` is for, where values come and go without end. */
export interface Cells<V> {
  get(key: string): V | undefined
  has(key: string): boolean
  set(key: string, value: V): void
  delete(key: string): void
  readonly size: number
}

/**
 * A map whose former tables, which V8 may hold for long (see `createQueue`), hold cells that are empty,
 * instead of all that hung on a value.
 */
export function createCells<V>(): Cells<V> {
  const cells = new Map<string, { value: V | undefined }>()
  return {
    get: (key) => cells.get(key)?.value,
    has: (key) => cells.has(key),
    set(key, value) {
      const cell = cells.get(key)
      if (cell) cell.value = value
      else cells.set(key, { value })
    },
    delete(key) {
      const cell = cells.get(key)
      if (!cell) return
      cell.value = undefined
      cells.delete(key)
    },
    get size() {
      return cells.size
    },
  }
}
