import { oneLine } from '../../core/quote.ts'

/** Small words of the text rendering, shared by the providers. */

/** Non-empty parts on one line: `State: open · Author: octocat`. */
export function facts(
  parts: Readonly<Record<string, string | number | null | undefined | false>>,
): string {
  return Object.entries(parts)
    .filter(([, value]) => value !== null && value !== undefined && value !== false && value !== '')
    .map(([name, value]) => `${name}: ${plain(String(value))}`)
    .join(' · ')
}

/** On one line, and in quotes where it could pass for several facts. */
function plain(value: string): string {
  const line = oneLine(value)
  return line.includes('·') ? JSON.stringify(line) : line
}

/** Those that are there, one a line. */
export function lines(...parts: readonly (string | false | null | undefined)[]): string {
  return parts.filter(Boolean).join('\n')
}

/** GitHub shows deleted accounts as this one (docs.github.com/account-and-profile, "deleting your personal account"). */
const GHOST = 'ghost'

export const loginOf = (user: { login: string } | null | undefined): string => user?.login ?? GHOST
