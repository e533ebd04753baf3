import type { Removed } from '../../core/schemas.ts'
import type { Pace } from '../../core/tokens.ts'
import { readText } from '../file/content.ts'
import { linesOf } from '../file/lines.ts'
import { createCleaner } from '../safe/cleaner.ts'
import { LARGEST, type Read } from './folder.ts'
import { type Outline, outlineOf } from './markdown.ts'

/** A document as it may be shown: cleaned, each line in its place. */
export interface Document {
  readonly path: string
  /** Digest of what was read. */
  readonly hash: string
  /** Bytes of the file. */
  readonly size: number
  /** Undefined where it is no text. */
  readonly encoding: string | undefined
  readonly title: string
  readonly lines: readonly string[]
  readonly outline: Outline
  /** Bytes at its end that were not read. */
  readonly unread: number
  readonly removed: Removed
}

/** Characters that are cleaned without a pause: about 8 ms. */
const CHUNK = 256 * 1024

/** Pauses as `pace` says. */
export async function documentOf(read: Read, pace: Pace): Promise<Document> {
  const { hash, path, size } = read
  const bytes = wholeLines(read.bytes, size)
  const { encoding, text } = decode(bytes) ?? {}
  const cleaner = createCleaner()
  const lines: string[] = []
  for (const chunk of text === undefined ? [] : chunksOf(text.replaceAll('\r\n', '\n'))) {
    for (const line of linesOf(cleaner.text(chunk, 'markdown', { keepLines: true })))
      lines.push(line)
    await (pace() ?? null)
  }
  const outline = outlineOf(lines)
  return {
    path,
    hash,
    size,
    encoding,
    title: outline.title || path,
    lines,
    outline,
    unread: size - bytes.length,
    removed: cleaner.removed(),
  }
}

/** What was cut off at the most that is read ends with a line, where it has any. */
function wholeLines(bytes: Buffer, size: number): Buffer {
  if (size <= LARGEST) return bytes
  const end = bytes.lastIndexOf(0x0a) + 1
  // A line end of UTF-16 takes two bytes, of which this may be the first.
  const whole = bytes[0] === 0xff ? end - (end % 2) : end
  return whole > 0 ? bytes.subarray(0, whole) : bytes
}

/** By its byte order mark where it is UTF-16, which git takes for no text; undefined for what is none. */
function decode(bytes: Buffer): { encoding: string; text: string } | undefined {
  const mark = bytes.length < 2 ? 0 : bytes.readUInt16BE(0)
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : undefined
  return encoding ? { encoding, text: new TextDecoder(encoding).decode(bytes) } : readText(bytes)
}

/** Stretches that can be cleaned apart: they end at a blank line, outside of HTML comments. */
function* chunksOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    let end = blankAfter(text, start + CHUNK)
    while (end < text.length && isOpen(text.slice(start, end))) {
      const closed = text.indexOf('-->', end)
      end = closed < 0 ? text.length : blankAfter(text, closed)
    }
    yield text.slice(start, end)
    start = end
  }
}

/** The end of a line, of a blank one where that is near, at or after `from`. */
function blankAfter(text: string, from: number): number {
  const blank = text.indexOf('\n\n', from)
  if (blank >= 0 && blank < from + CHUNK) return blank + 2
  const line = text.indexOf('\n', from)
  return line < 0 ? text.length : line + 1
}

const isOpen = (text: string) => text.lastIndexOf('<!--') > text.lastIndexOf('-->')
