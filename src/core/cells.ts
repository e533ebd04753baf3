/** What a `Map` is for, where values come and go without end. */
export interface Cells<V> {
  get(key: string): V | undefined
  has(key: string): boolean
  set(key: string, value: V): void
  delete(key: string): void
  readonly size: number
}

/** Cells that may be empty before they are looked through. */
const FEW = 64

/**
 * A map whose former tables, which V8 may hold for long (see `createQueue`), hold cells that are empty,
 * instead of all that hung on a value; and which seldom makes a table, as cells stay for a while.
 */
export function createCells<V>(): Cells<V> {
  let cells = new Map<string, { value: V | undefined }>()
  let size = 0

  function forgetEmpty(): void {
    cells = new Map([...cells].filter(([, { value }]) => value !== undefined))
  }

  function cellOf(key: string): { value: V | undefined } {
    const known = cells.get(key)
    if (known) return known
    if (cells.size - size >= Math.max(FEW, size)) forgetEmpty()
    const cell = { value: undefined }
    cells.set(key, cell)
    return cell
  }

  return {
    get: (key) => cells.get(key)?.value,
    has: (key) => cells.get(key)?.value !== undefined,
    set(key, value) {
      const cell = cellOf(key)
      if (cell.value === undefined) size += 1
      cell.value = value
    },
    delete(key) {
      const cell = cells.get(key)
      if (cell?.value === undefined) return
      cell.value = undefined
      size -= 1
    },
    get size() {
      return size
    },
  }
}
