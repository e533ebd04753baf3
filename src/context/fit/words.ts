/** How texts and questions are made words that can be compared: `passwordResetMailer.ts` has `password`. */

const WORD = /[\p{L}\p{M}\p{N}]+(?:['’]\p{L}+)?/gu
/** Within a name: before a capital after a small letter or digit, and before the last of several capitals. */
const HUMP = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u
/** Written without spaces between words: compared by pairs of characters. */
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]{3,}$/u
/** Longer than any word: data. */
const LONGEST = 64

const ENDINGS =
  /(?:ization|isation|ations?|at(?:e|es|ed|ing|ors?)|ions?|ings?|ies|ied|i?ers?|edly|ed|es|e|s|ly|y|als?|ables?|ibles?|ments?|ness|(?<=c)t)$/
const SHORTEST_STEM = 4

/** English words that say nothing about what a question is about. */
const EMPTY = new Set(
  `a about after again all also am an and any are as at be because been before being between both but by can could
  did do does doing done during each few for from get gets getting got had has have having he her here hers him his how i if in
  into is it its just like made make makes many me more most much my need needed needs no nor not of off on
  once only or other our out over own please same say says she should show so some still such tell than that the their them then
  there these they this those to too under until up us use used using very was way we were what when where which while
  who whom whose why will with would you your`.split(/\s+/),
)

/** What programs write short, and questions in full. */
const SHORT_FORMS = new Map(
  `addr address, arg argument, auth authentication, cert certificate, cfg configuration, cmd command,
  config configuration, conn connection, ctx context, db database, dep dependency, dir directory, doc documentation,
  env environment, err error, fn function, img image, init initialization, lang language, lib library, max maximum,
  mem memory, min minimum, msg message, num number, param parameter, perf performance, pkg package, prod production,
  passwd password, pwd password, ref reference, repo repository, req request, res response, spec specification, src source,
  sync synchronization, tmp temporary, tx transaction, util utility, ver version`
    .split(/,\s+/)
    .map((pair) => pair.split(' ') as [string, string]),
)

/** The words of a text, each in the form in which it is compared; those of names also one by one. */
export function wordsOf(text: string): string[] {
  const words: string[] = []
  for (const [word] of text.matchAll(WORD)) {
    if (word.length > LONGEST) continue
    if (UNSPACED.test(word)) words.push(...pairsOf(word))
    else {
      const parts = word.split(HUMP)
      for (const part of parts) words.push(part)
      if (parts.length > 1) words.push(word)
    }
  }
  return words
}

/** Those that say what a question is about; all of them where none does. */
export function tellingWords(question: string): string[] {
  const all = wordsOf(question)
  const telling = all.filter((word) => !EMPTY.has(word.toLowerCase()))
  return telling.length > 0 ? telling : all
}

/** The form that `expired`, `expires` and `expiry` share. Rough on purpose: both sides go through it. */
export function stemOf(word: string): string {
  const plain = word
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/\p{M}|['’].*$/gu, '')
  let stem = SHORT_FORMS.get(plain) ?? SHORT_FORMS.get(plain.replace(/s$/, '')) ?? plain
  for (;;) {
    const shorter = withoutEnding(stem)
    if (shorter === stem) return stem
    stem = shorter
  }
}

function withoutEnding(word: string): string {
  if (word.endsWith('ss')) return word
  const cut = word.replace(ENDINGS, '').replace(/([b-df-hj-np-rt-vx-z])\1$/, '$1')
  return cut.length >= SHORTEST_STEM ? cut : word.replace(/(?<=[a-z]{2}[^s])s$/, '')
}

function pairsOf(word: string): string[] {
  const signs = [...word]
  return signs.slice(1).map((sign, at) => `${signs[at]}${sign}`)
}
