import { countTokens as encodeAndCount } from 'gpt-tokenizer/encoding/o200k_base'

/** A run without a break costs the encoder quadratic time, so such texts are counted in slices. */
const LONG_RUN = /\S{256,}|\s{256,}/
const SLICE = 2048

// Text may hold `<|endoftext|>` and the like: it is text here, never a control token.
const AS_TEXT = { disallowedSpecial: new Set<string>() }

/**
 * Tokens of `text` in OpenAI's o200k_base encoding; for other models' tokenizers an estimate.
 * Texts with very long unbroken runs are counted slice by slice, with one token more for each cut, so
 * that the count is rather too high than too low.
 */
export function countTokens(text: string): number {
  if (!LONG_RUN.test(text)) return encodeAndCount(text, AS_TEXT)
  let total = Math.ceil(text.length / SLICE) - 1
  for (let start = 0; start < text.length; start += SLICE) {
    total += encodeAndCount(text.slice(start, start + SLICE), AS_TEXT)
  }
  return total
}
