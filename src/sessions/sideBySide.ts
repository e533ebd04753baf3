/** What `work` makes of each value, in their order, with at most `limit` under way at once. */
export async function sideBySide<T, R>(
  values: readonly T[],
  limit: number,
  work: (value: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(values.length)
  const entries = values.entries()
  async function worker(): Promise<void> {
    for (const [index, value] of entries) results[index] = await work(value, index)
  }
  await Promise.all(Array.from({ length: Math.min(limit, values.length) }, worker))
  return results
}
