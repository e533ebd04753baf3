import { round } from './statistics.ts'

/** One number of a bench, and what it should be. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly target?: Target
}

export type Target = { readonly least: number } | { readonly most: number }

export interface Bench {
  readonly name: string
  readonly title: string
  run(): Promise<readonly Figure[]>
}

/** @param unit `ratio`, or what is counted */
export function figure(name: string, value: number, unit: string, target?: Target): Figure {
  return { name, value: round(value, 3), unit, ...(target ? { target } : {}) }
}

export function meets({ value, target }: Figure): boolean {
  if (!target) return true
  return 'least' in target ? value >= target.least : value <= target.most
}
