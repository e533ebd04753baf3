/**
 * Divides one budget by need: whoever needs less than an even share keeps what is needed, and the
 * rest is shared evenly by the others.
 * @param needs tokens that each would take
 * @returns tokens that each may take; their sum is at most `budget`
 */
export function divide(budget: number, needs: readonly number[]): number[] {
  const shares = needs.slice()
  const byNeed = needs
    .map((_need, index) => index)
    .sort((a, b) => (needs[a] ?? 0) - (needs[b] ?? 0))
  let left = budget
  byNeed.forEach((index, place) => {
    const even = Math.floor(left / (byNeed.length - place))
    const share = Math.min(needs[index] ?? 0, even)
    shares[index] = share
    left -= share
  })
  return shares
}
