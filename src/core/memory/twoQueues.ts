import { crc32 } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import { createByteLog, type Stored } from './byteLog.ts'
import { createPlaces } from './places.ts'

export interface TwoQueues<V> {
  get(key: string): V | undefined
  /** @param unpacked whether it was just read from bytes, so that nothing but these hangs on it */
  set(key: string, value: V, unpacked?: boolean): void
  delete(key: string): void
  clear(): void
  /** Bytes in use: a few of them though nothing is in it. */
  bytes(): number
  size(): number
}

export interface TwoQueuesOptions<V> {
  /** Bytes of all that it holds. */
  readonly maxBytes: number
  /** Share of these that one value may have. */
  readonly largest: number
  /** Bytes that a value usually has: there are places for so many. */
  readonly usual: number
  /** Bytes of a value that is an object, with its key. */
  readonly sizeOf: (value: V, key: string) => number
  /** The value without what else it would keep alive as an object. */
  readonly compact: (value: V, unpacked: boolean) => V
  /** The value as bytes; undefined for one that must stay an object. */
  readonly pack: (value: V) => Stored | undefined
  readonly unpack: (stored: Stored) => V
}

/** Share of the bytes that what was asked for once has at least. */
const ONCE_AT_LEAST = 1 / 8
/** Bytes. Of a small memory a segment is a part only. */
const LARGEST_SEGMENT = 1024 * 1024
const SEGMENTS_AT_LEAST = 64
const PLACES_AT_LEAST = 8

/**
 * A cache of two queues (Johnson and Shasha, "2Q", VLDB 1994). What comes for the first time waits in
 * order of arrival, as bytes: most is never asked for again, and leaves without V8 having copied or
 * traversed an object of it. What is asked for again is an object from then on, among others of its
 * kind, of which the least recently used goes first: so a flood of what is asked for once does not
 * push it out. What left the first queue lately, and comes again, goes to the second as well. The
 * first may have whatever room the second leaves.
 */
export function createTwoQueues<V>(options: TwoQueuesOptions<V>): TwoQueues<V> {
  const { compact, largest, maxBytes, pack, sizeOf, unpack, usual } = options
  const segmentBytes = powerOfTwo(Math.min(LARGEST_SEGMENT, maxBytes / SEGMENTS_AT_LEAST))
  const places = createPlaces(Math.max(PLACES_AT_LEAST, powerOfTwo(maxBytes / usual)))
  const room = Math.max(1, maxBytes - places.bytes)
  const leastForOnce = room * ONCE_AT_LEAST
  const again = new LRUCache<string, V & {}>({
    maxSize: Math.max(1, Math.floor(room - leastForOnce)),
    maxEntrySize: Math.max(1, Math.floor(maxBytes * largest)),
    sizeCalculation: sizeOf,
  })
  const roomForOnce = () => Math.max(leastForOnce, room - again.calculatedSize)
  const once = createByteLog(segmentBytes, () => once.bytes() + segmentBytes <= roomForOnce())

  function keepAgain(key: string, value: V): void {
    again.set(key, value as V & {})
    while (once.bytes() > roomForOnce()) once.dropOldest()
  }

  /** Whether it was here, though its bytes may have left. */
  function forgetOnce(hash: number): boolean {
    const place = places.find(hash)
    if (place === undefined) return false
    once.forget(place)
    places.delete(hash)
    return true
  }

  function keepOnce(key: string, value: V): boolean {
    const stored = pack(value)
    const place = stored && once.append(key, stored)
    if (place === undefined) return false
    const replaced = places.add(crc32(key), place)
    if (replaced !== undefined) once.forget(replaced)
    return true
  }

  return {
    get(key) {
      const known = again.get(key)
      if (known !== undefined) return known
      const hash = crc32(key)
      const place = places.find(hash)
      const stored = place === undefined ? undefined : once.read(place, key)
      if (!stored) return undefined
      forgetOnce(hash)
      const value = unpack(stored)
      keepAgain(key, value)
      return value
    },
    set(key, value, unpacked = false) {
      const known = again.has(key) || forgetOnce(crc32(key))
      if (known || !keepOnce(key, value)) keepAgain(key, compact(value, unpacked))
    },
    delete(key) {
      again.delete(key)
      forgetOnce(crc32(key))
    },
    clear() {
      again.clear()
      places.clear()
      while (once.bytes() > 0) once.dropOldest()
    },
    bytes: () => places.bytes + again.calculatedSize + once.bytes(),
    size: () => again.size + once.size(),
  }
}

/** The greatest one that is not greater, and one at least. */
const powerOfTwo = (most: number) => 2 ** Math.max(0, Math.floor(Math.log2(most)))
