import { invalid } from '../../core/errors.ts'

/** Each alternative is tried on each path. */
const MOST_ALTERNATIVES = 32

/**
 * A test of paths by a pattern: `*` and `?` within a name, `**` for any folders, `{a,b}` for either.
 * A pattern without a slash is about names in any folder; one that ends in a slash about all that is
 * below. All other characters mean themselves. Takes time in proportion to pattern and path.
 * @throws ServiceError `invalid_request` for too many alternatives
 */
export function compileGlob(pattern: string): (path: string) => boolean {
  const alternatives = expand(pattern).map(segmentsOf)
  return (path) => {
    const segments = path.split('/')
    return alternatives.some((wanted) => matches(wanted, segments, isAnyFolders, matchesName))
  }
}

function segmentsOf(pattern: string): string[] {
  const path = pattern.replace(/^\/+/, '')
  const whole = path.includes('/') || pattern.startsWith('/') ? path : `**/${path}`
  const segments = (whole.endsWith('/') ? `${whole}**` : whole).split('/')
  // What is below a folder has at least a name.
  return segments.at(-1) === '**' ? [...segments, '*'] : segments
}

const isAnyFolders = (segment: string) => segment === '**'
const isAnything = (character: string) => character === '*'
const matchesCharacter = (wanted: string, character: string) =>
  wanted === '?' || wanted === character
const matchesName = (wanted: string, name: string) =>
  matches(wanted, name, isAnything, matchesCharacter)

/** Only the last star that was met has to give way: what is before an earlier one cannot match better. */
function matches(
  wanted: ArrayLike<string>,
  found: ArrayLike<string>,
  isStar: (part: string) => boolean,
  fits: (wanted: string, found: string) => boolean,
): boolean {
  let at = 0
  let star = -1
  let taken = 0
  for (let position = 0; position < found.length; ) {
    const part = wanted[at]
    if (part !== undefined && isStar(part)) {
      star = at
      taken = position
      at += 1
    } else if (part !== undefined && fits(part, found[position] as string)) {
      at += 1
      position += 1
    } else if (star >= 0) {
      taken += 1
      position = taken
      at = star + 1
    } else return false
  }
  while (at < wanted.length && isStar(wanted[at] as string)) at += 1
  return at === wanted.length
}

/** One pattern for each choice in its braces; braces without a comma, or without an end, mean themselves. */
function expand(pattern: string): string[] {
  const done: string[] = []
  const ahead = [pattern]
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const braces = bracesIn(next)
    if (!braces) done.push(next)
    else {
      const { start, end, choices } = braces
      for (const choice of choices) ahead.push(next.slice(0, start) + choice + next.slice(end))
    }
    if (done.length + ahead.length > MOST_ALTERNATIVES) {
      throw invalid('/params/pattern', `has more than ${MOST_ALTERNATIVES} alternatives.`)
    }
  }
  return done
}

/** The first innermost braces with a comma. */
function bracesIn(pattern: string) {
  const match = /\{([^{}]*,[^{}]*)\}/.exec(pattern)
  if (!match) return undefined
  const { 0: whole, 1: inside = '', index: start } = match
  return { start, end: start + whole.length, choices: inside.split(',') }
}
