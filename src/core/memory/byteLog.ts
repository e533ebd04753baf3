/** A text and bytes, as they are kept together. */
export interface Stored {
  readonly head: string
  readonly body: Buffer
}

/** Records one behind the other in memory that V8 neither copies nor looks through. */
export interface ByteLog {
  /**
   * Writes a record behind the last one. Where the log may not grow, the oldest records go.
   * @returns its place, which no other record ever has; undefined where it is too large
   */
  append(key: string, stored: Stored): number | undefined
  /** A copy of what was written there by this key; undefined once it is gone. */
  read(place: number, key: string): Stored | undefined
  /** Says that the record there is not needed, once; it may be gone. */
  forget(place: number): void
  /** Gives up the memory of the oldest records. */
  dropOldest(): void
  /** Bytes of memory that it takes. */
  bytes(): number
  /** Records in use. */
  size(): number
}

interface Segment {
  readonly bytes: Buffer
  /** The same memory. */
  readonly words: Uint32Array
  inUse: number
}

/** Bytes: the lengths of key, head and body, of four bytes each. */
const LENGTHS = 12
/** What a record may be of a segment: so much of one may stay empty, because the next did not fit. */
const LARGEST = 1 / 4

/**
 * @param segmentBytes bytes that it grows by, and of which the oldest go together; a multiple of 4
 * @param mayGrow whether it may take one segment more
 */
export function createByteLog(segmentBytes: number, mayGrow: () => boolean): ByteLog {
  const segments: Segment[] = []
  /** Number of the oldest segment. Places begin behind the first so that none is zero. */
  let first = 1
  /** Bytes of the newest one that are written. */
  let written = segmentBytes
  let size = 0

  return {
    append(key, { head, body }) {
      const [keyLength, headLength] = [Buffer.byteLength(key), Buffer.byteLength(head)]
      const length = LENGTHS + aligned(keyLength + headLength + body.length)
      // What UTF-8 cannot hold would be read as another key.
      if (length > segmentBytes * LARGEST || !key.isWellFormed()) return undefined
      if (written + length > segmentBytes) addSegment()
      const segment = segments.at(-1) as Segment
      const { bytes, words } = segment
      words.set([keyLength, headLength, body.length], written / 4)
      const start = written + LENGTHS
      bytes.write(key, start)
      bytes.write(head, start + keyLength)
      body.copy(bytes, start + keyLength + headLength)
      const place = (first + segments.length - 1) * segmentBytes + written
      written += length
      segment.inUse += 1
      size += 1
      return place
    },
    read(place, key) {
      const segment = segmentOf(place)
      if (!segment) return undefined
      const { bytes, words } = segment
      const offset = place % segmentBytes
      const [keyLength = 0, headLength = 0, bodyLength = 0] = words.subarray(offset / 4)
      const headStart = offset + LENGTHS + keyLength
      if (bytes.toString('utf8', offset + LENGTHS, headStart) !== key) return undefined
      const bodyStart = headStart + headLength
      const body = Buffer.allocUnsafeSlow(bodyLength)
      bytes.copy(body, 0, bodyStart)
      return { head: bytes.toString('utf8', headStart, bodyStart), body }
    },
    forget(place) {
      const segment = segmentOf(place)
      if (!segment) return
      segment.inUse -= 1
      size -= 1
      while (segments.length > 1 && segments[0]?.inUse === 0) takeOldest()
    },
    dropOldest: () => void takeOldest(),
    bytes: () => segments.length * segmentBytes,
    size: () => size,
  }

  function segmentOf(place: number): Segment | undefined {
    return segments[Math.floor(place / segmentBytes) - first]
  }

  function addSegment(): void {
    // Memory that was given up would be free when V8 has looked through the whole heap: it is used again.
    const used = mayGrow() ? undefined : takeOldest()
    segments.push(used ? { ...used, inUse: 0 } : createSegment(segmentBytes))
    written = 0
  }

  function takeOldest(): Segment | undefined {
    const oldest = segments.shift()
    if (!oldest) return undefined
    first += 1
    size -= oldest.inUse
    if (segments.length === 0) written = segmentBytes
    return oldest
  }
}

function createSegment(length: number): Segment {
  const bytes = Buffer.allocUnsafeSlow(length)
  return { bytes, words: new Uint32Array(bytes.buffer), inUse: 0 }
}

const aligned = (length: number) => Math.ceil(length / 4) * 4
