import { type Call, notification } from './protocol/methods.ts'

/**
 * Tells a client that asked for it that the work goes on, for as long as it does
 * (specification, "Progress"). What is done sooner than `every` is not spoken of.
 * @param every milliseconds
 */
export async function withProgress<T>(
  { meta, send }: Call,
  every: number,
  work: () => Promise<T>,
): Promise<T> {
  const { progressToken } = meta
  if (typeof progressToken !== 'string' && typeof progressToken !== 'number') return work()
  let progress = 0
  const timer = setInterval(() => {
    progress += 1
    const params = { progressToken, progress, message: 'Waiting for GitHub' }
    send(notification('notifications/progress', params))
  }, every)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
