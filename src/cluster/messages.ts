/** What the processes of one machine say to each other. */

const READY = 'ready'

/** Tells the supervisor, where there is one, that this process serves. */
export function sayReady(): void {
  process.send?.({ kind: READY })
}

export const isReady = (message: unknown): boolean => kindOf(message) === READY

export function kindOf(message: unknown): unknown {
  return message instanceof Object && 'kind' in message ? message.kind : undefined
}
