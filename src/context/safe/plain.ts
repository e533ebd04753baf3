/** Anything but printable ASCII. One range: a class of several takes three times as long. */
const UNUSUAL = /[^ -~]/

/** Letters, digits, `_` and `-`: what tokens are made of. */
const TOKEN = Uint8Array.from({ length: 128 }, (_, code) =>
  /[\w-]/.test(String.fromCharCode(code)) ? 1 : 0,
)
/** Unbroken characters of which every token that is looked for has at least so many. */
const LEAST_RUN = 20

/**
 * Whether nothing in it can need cleaning, found without looking at most of its characters twice.
 * Most strings that GitHub sends are: names, dates, addresses.
 */
export function isPlain(text: string): boolean {
  return isVisible(text) && !mayHoldSecret(text)
}

/** Whether nothing in it can be hidden: `reveal` and `removeComments` change nothing. */
export function isVisible(text: string): boolean {
  return !UNUSUAL.test(text) && !text.includes('<!--')
}

/**
 * Whether a secret can be in it. `SECRET_RULES` and `findPrivateKeys` find none in texts without a
 * long run of a token's characters, `Key` before a value, `@` after a password, or a key's name.
 */
export function mayHoldSecret(text: string): boolean {
  if (text.includes('@')) return true
  if (text.length < LEAST_RUN) return false
  // Few texts have a capital K.
  const hasName = text.includes('K') && (text.includes('Key') || text.includes('PRIVATE KEY'))
  return hasName || hasLongRun(text)
}

/** Looks at every 20th character, and back from those that belong to a run. */
function hasLongRun(text: string): boolean {
  let end = LEAST_RUN - 1
  while (end < text.length) {
    let start = end
    while (TOKEN[text.charCodeAt(start)] === 1) {
      if (end - start === LEAST_RUN - 1) return true
      start -= 1
    }
    end = start + LEAST_RUN
  }
  return false
}
