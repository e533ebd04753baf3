import type { CachePolicy } from '../../core/provider.ts'

/** What a full commit sha leads to never changes; only whether one may still read it. */
const IMMUTABLE: CachePolicy = { freshFor: 600, staleFor: 3_600, keepFor: 86_400 }

const SHA = /^[0-9a-f]{40}$/

export const isSha = (ref: string | undefined): boolean => ref !== undefined && SHA.test(ref)

/** The times of an answer that was asked for by ref; undefined for those of its type. */
export function policyFor(ref: string | undefined): CachePolicy | undefined {
  return isSha(ref) ? IMMUTABLE : undefined
}
