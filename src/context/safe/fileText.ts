import { isUtf8 } from 'node:buffer'
import { readText } from '../file/content.ts'

/** A file's text, and the way back to its bytes. */
export interface FileText {
  readonly text: string
  encode(text: string): Buffer
}

const MARK = Buffer.from('\uFEFF')
/** In windows-1252. */
const UNDEFINED = 0x81

/** Undefined for what is no text. The byte order mark is no part of the text, and comes back. */
export function decodeFile(bytes: Buffer): FileText | undefined {
  const read = readText(bytes)
  if (!read) return undefined
  const { encoding, text } = read
  if (encoding === 'windows-1252') return { text, encode: toWindows1252 }
  const mark = bytes.subarray(0, MARK.length).equals(MARK) ? MARK : Buffer.of()
  return { text, encode: (changed) => Buffer.concat([mark, Buffer.from(changed)]) }
}

/** Every byte has a character of its own; what is none of them becomes a byte that stands for nothing. */
function toWindows1252(text: string): Buffer {
  const all = new TextDecoder('windows-1252').decode(Uint8Array.from({ length: 256 }, (_, i) => i))
  const bytes = new Map([...all].map((character, byte) => [character, byte]))
  const encoded = Buffer.from(Array.from(text, (character) => bytes.get(character) ?? UNDEFINED))
  // Where what made it windows-1252 is gone, it must not be read as another text.
  return isUtf8(encoded) ? Buffer.from(text) : encoded
}
