import { crc32 } from 'node:zlib'

/** Whether a text was seen before, as far as that is remembered; from now on it is. */
export type Doorkeeper = (text: string) => boolean

/**
 * Lets into a cache only what is asked for a second time: what is asked for once, as a flood's requests
 * are, would push others out and be garbage that has grown old (Einziger et al., "TinyLFU", section 3.4).
 * @param places texts that are remembered at most, by four bytes each: in a few of so many cases it errs
 */
export function createDoorkeeper(places: number): Doorkeeper {
  const seen = new Uint32Array(places)
  return (text) => {
    const sum = crc32(text)
    const place = sum % places
    const known = seen[place] === sum
    seen[place] = sum
    return known
  }
}
