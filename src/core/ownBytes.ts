/** Bytes for which a copy is not worth its time. */
const SLACK = 64

/**
 * The bytes in memory of their own. A small Buffer is else a part of a larger one (Node's pool of
 * 8 KiB, a chunk of 16 KiB from zlib or of 64 KiB from a socket), and keeps all of that alive.
 */
export function ownBytes(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength - bytes.byteLength <= SLACK) return bytes
  const own = Buffer.allocUnsafeSlow(bytes.byteLength)
  bytes.copy(own)
  return own
}
