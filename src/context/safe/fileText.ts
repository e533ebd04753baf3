import { encodingOf } from '../fileContent.ts'

/** A file's text, and the way back to its bytes. */
export interface FileText {
  readonly text: string
  encode(text: string): Buffer
}

const MARK = '\uFEFF'

/** Undefined for what is no text. The byte order mark is no part of the text, and comes back. */
export function decodeFile(bytes: Buffer): FileText | undefined {
  const encoding = encodingOf(bytes)
  if (!encoding) return undefined
  const text = new TextDecoder(encoding).decode(bytes)
  switch (encoding) {
    case 'windows-1252':
      return { text, encode: toWindows1252 }
    case 'utf-8': {
      const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? MARK : ''
      return { text, encode: (changed) => Buffer.from(mark + changed) }
    }
  }
}

/** Every byte has a character, and each is that of one byte only. */
function toWindows1252(text: string): Buffer {
  const all = new TextDecoder('windows-1252').decode(Uint8Array.from({ length: 256 }, (_, i) => i))
  const bytes = new Map([...all].map((character, byte) => [character, byte]))
  return Buffer.from(Array.from(text, (character) => bytes.get(character) ?? 0x3f))
}
