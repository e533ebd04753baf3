/** A text without its comments, and how many there were. */
export interface Uncommented {
  readonly text: string
  readonly comments: number
}

const OPEN = '<!--'
/**
 * A line that begins with a tag, inside quotes and lists too. From there on a renderer may be in a
 * block of HTML, where a comment that nothing closes hides all that follows (CommonMark, section 4.6).
 */
const HTML_LINE =
  /^[ \t]*(?:(?:[>*+-]|\d{1,9}[.)]|\[\^[^\]\n]{1,99}\]:|\[[ xX]\])[ \t]*)*<[a-z/!?]/im

export interface CommentOptions {
  /** A comment is replaced by as many line breaks as it holds. */
  readonly keepLines: boolean
  /** A comment that nothing closes is removed up to the end where a renderer may hide it. */
  readonly toTheEnd: boolean
}

/**
 * Removes HTML comments, wherever they stand: what counts as code to one renderer does not to
 * another. What is left on both sides never makes a new one: a space is put between where it would.
 * Applied again it changes nothing. Takes linear time.
 */
export function removeComments(source: string, options: CommentOptions): Uncommented {
  let open = source.indexOf(OPEN)
  if (open < 0) return { text: source, comments: 0 }
  // `--!>` closes a comment as well (HTML standard, section 13.2.5, "comment end bang state").
  const close = /--!?>/g
  const kept: string[] = []
  let comments = 0
  let position = 0
  /** The last characters that are kept. */
  let tail = ''

  const keep = (text: string) => {
    const joint = tail + text.slice(0, OPEN.length - 1)
    kept.push(joint.includes(OPEN) ? ` ${text}` : text)
    tail = (tail + text.slice(1 - OPEN.length)).slice(1 - OPEN.length)
  }

  while (open >= 0) {
    const end = endOf(source, open, close)
    if (end === undefined) break
    comments += 1
    keep(source.slice(position, open))
    position = end
    if (options.keepLines) keep(lineBreaks(source.slice(open, end)))
    // A line that held nothing but comments leaves no second blank one.
    else if (tail === '' || tail.endsWith('\n\n')) position = skipLineBreaks(source, end)
    open = source.indexOf(OPEN, position)
  }
  keep(source.slice(position))
  const text = kept.join('')
  const cut = open >= 0 && options.toTheEnd ? cutOf(text) : -1
  if (cut < 0) return { text, comments }
  const rest = options.keepLines ? lineBreaks(text.slice(cut)) : ''
  return { text: text.slice(0, cut) + rest, comments: comments + 1 }
}

/** Where the comment that opens at `open` ends; undefined where nothing closes it. */
function endOf(source: string, open: number, close: RegExp): number | undefined {
  // `<!-->` and `<!--->` are closed already.
  close.lastIndex = open + 2
  for (let match = close.exec(source); match; match = close.exec(source)) {
    if (match[0] === '-->' || match.index >= open + OPEN.length) return close.lastIndex
    close.lastIndex = match.index + 1
  }
  return undefined
}

/** Where a comment opens that may hide the rest of `text`, in which none is closed. */
function cutOf(text: string): number {
  const line = HTML_LINE.exec(text)
  return line ? text.indexOf(OPEN, line.index) : -1
}

function lineBreaks(text: string): string {
  return text.replaceAll(/[^\n]+/g, '')
}

function skipLineBreaks(text: string, from: number): number {
  let position = from
  while (text[position] === '\n') position += 1
  return position
}
