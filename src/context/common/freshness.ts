import type { CachePolicy } from '../../core/provider.ts'

/** Of what every change is told by webhooks, where they come. */
export const DELIVERED: CachePolicy = {
  freshFor: 60,
  toldFor: 300,
  staleFor: 300,
  keepFor: 86_400,
}
/** The same of what changes without a word too. */
export const UNTOLD: CachePolicy = { freshFor: 60, staleFor: 300, keepFor: 86_400 }

/** What a full commit sha leads to never changes; only whether one may still read it. */
const IMMUTABLE: CachePolicy = { freshFor: 600, staleFor: 3_600, keepFor: 86_400 }

const SHA = /^[0-9a-f]{40}$/

export const isSha = (ref: string | undefined): boolean => ref !== undefined && SHA.test(ref)

/** The times of an answer that was asked for by ref; undefined for those of its type. */
export function policyFor(ref: string | undefined): CachePolicy | undefined {
  return isSha(ref) ? IMMUTABLE : undefined
}
