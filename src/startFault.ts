import { ServiceError } from './core/errors.ts'
import { ConfigError } from './environment.ts'

/** A start that failed, in words for the operator. */
export class StartFault extends Error {}

/** One line for each fault that an operator can mend; a stack only for what nobody foresaw. */
export function explainStart(error: unknown): string {
  if (error instanceof ConfigError)
    return error.faults.map((fault) => `Configuration: ${fault}`).join('\n')
  if (error instanceof StartFault) return `Cannot start: ${error.message}`
  if (error instanceof ServiceError) return `Cannot start: ${error.detail}`
  if (error instanceof Error && 'syscall' in error) {
    const why =
      'code' in error && error.code === 'EADDRINUSE' ? 'the port is in use' : 'cannot listen there'
    return `Cannot start: ${why} (${error.message}). Set PORT or HOST to another one.`
  }
  return String(error instanceof Error ? error.stack : error)
}
