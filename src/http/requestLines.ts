import type { FastifyBaseLogger } from 'fastify'
import pino, { type Logger } from 'pino'

/** What is told of a request beside what many have in common. */
export interface RequestLine {
  readonly requestId: string
  /** Milliseconds. */
  readonly duration: number
  readonly calls: number
  readonly caller: string | undefined
  readonly github: readonly unknown[] | undefined
  readonly traceId: string | undefined
}

/**
 * Writes the lines of requests that have `common` in common, as the logger would: each takes a third
 * of the time, as what they share is serialised once and what is sane needs no escaping.
 */
export function createRequestLines(logger: FastifyBaseLogger, common: object) {
  const { levels, symbols } = pino
  const own = logger.child(common) as Logger & Record<symbol, unknown>
  const stream = own[symbols.streamSym as symbol] as pino.DestinationStream
  const time = own[symbols.timeSym as symbol] as () => string
  const bound = String(own[symbols.chindingsSym as symbol])
  const level = `{"level":${levels.values.info}`

  return ({ caller, calls, duration, github, requestId, traceId }: RequestLine): void => {
    if (!own.isLevelEnabled('info')) return
    let line = `${level}${time()}${bound},"request_id":"${requestId}","duration_ms":${Math.round(duration * 100) / 100},"upstream_calls":${calls}`
    if (caller !== undefined) line += `,"caller":${JSON.stringify(caller)}`
    if (github) line += `,"github":${JSON.stringify(github)}`
    if (traceId !== undefined) line += `,"trace_id":${JSON.stringify(traceId)}`
    stream.write(`${line}}\n`)
  }
}
