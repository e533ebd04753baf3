import { distance } from 'fastest-levenshtein'

/** The candidate that `name` is most likely a slip of, or undefined when none is near. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const containing =
    name.length > 2 && candidates.find((candidate) => candidate.includes(name.toLowerCase()))
  if (containing) return containing
  let best: { candidate: string; edits: number } | undefined
  for (const candidate of candidates) {
    const edits = distance(name.toLowerCase(), candidate.toLowerCase())
    if (!best || edits < best.edits) best = { candidate, edits }
  }
  const tolerated = Math.max(2, Math.ceil(name.length / 2))
  return best && best.edits <= tolerated ? best.candidate : undefined
}
