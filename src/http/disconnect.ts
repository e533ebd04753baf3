import type { FastifyReply } from 'fastify'

/** Aborted when the caller hangs up before the answer is complete. Made only when something must wait. */
export function disconnected({ raw }: FastifyReply): AbortSignal {
  const abort = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished) abort.abort(new Error('The caller hung up'))
  })
  return abort.signal
}
