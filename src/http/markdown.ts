/** The text of all blocks of a serialised answer, ready to be pasted into a prompt. */
export function contentOf(body: Buffer): string {
  const { context } = JSON.parse(body.toString()) as { context: readonly { content: string }[] }
  return `${context.map(({ content }) => content).join('\n\n')}\n`
}
