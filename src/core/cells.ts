import { createRoster } from './roster.ts'

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
  const cells = createRoster<{ value: V | undefined }>(
    () => ({ value: undefined }),
    ({ value }) => value === undefined,
  )
  let size = 0

  return {
    get: (key) => cells.find(key)?.value,
    has: (key) => cells.find(key)?.value !== undefined,
    set(key, value) {
      const cell = cells.of(key)
      if (cell.value === undefined) size += 1
      cell.value = value
    },
    delete(key) {
      const cell = cells.find(key)
      if (cell?.value === undefined) return
      cell.value = undefined
      size -= 1
    },
    get size() {
      return size
    },
  }
}
