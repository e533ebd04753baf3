/** The words and qualifiers of a search, in lower case: `login repo:octo/talk "not found"`. */
export interface Terms {
  words: string[]
  qualifiers: [name: string, value: string][]
  /** Those with a minus in front. */
  excluded: [name: string, value: string][]
}

export const UNSEARCHABLE =
  'The listed users and repositories cannot be searched either because the resources do not exist or you do not have permission to view them.'

export function parseTerms(q: string): Terms {
  const words: string[] = []
  const qualifiers: [string, string][] = []
  const excluded: [string, string][] = []
  for (const [, minus, name, quoted, plain, phrase, word] of q
    .toLowerCase()
    .matchAll(/(-?)([a-z]+):(?:"([^"]*)"|(\S+))|"([^"]*)"|(\S+)/g)) {
    if (name === undefined) words.push(phrase ?? word ?? '')
    else (minus ? excluded : qualifiers).push([name, quoted ?? plain ?? ''])
  }
  return { words, qualifiers, excluded }
}
