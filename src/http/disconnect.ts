import type { FastifyReply } from 'fastify'

/** Aborted when the caller hangs up before the answer is complete. Made only when something must wait. */
export function disconnected(reply: FastifyReply): AbortSignal {
  const { raw } = reply
  const abort = new AbortController()
  const onClose = () => {
    if (raw.writableFinished) return
    abort.abort(new Error('The caller hung up'))
    // Once what was stopped by that has ended and can be told of. Fastify tells of whole answers only.
    setImmediate(() => reply.server.callerLeft(reply))
  }
  // Who was gone before this was made closes nothing any more.
  if (raw.destroyed) onClose()
  else raw.once('close', onClose)
  return abort.signal
}
