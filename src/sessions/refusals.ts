import { ServiceError } from '../core/errors.ts'
import type { Limits, Refusal } from './store/store.ts'

/** What a store refused, in words that say what to do. */
export function refusalOf(refusal: Refusal, limits: Limits): ServiceError {
  switch (refusal) {
    case 'missing':
      return new ServiceError(
        'not_found',
        'Session not found: it has expired, was deleted, or belongs to another caller. POST /mcp/session/create makes a new one.',
      )
    case 'conflict':
      return new ServiceError(
        'conflict',
        'Another turn of this session runs, or was kept meanwhile: a session takes one turn at a time. Wait for it, GET status, and send this one again.',
      )
    case 'too_many_turns':
      return new ServiceError(
        'conflict',
        `The session has ${limits.turns} turns, which is all that one can have. Go on in a new session.`,
      )
    case 'too_many_items':
      return new ServiceError(
        'payload_too_large',
        `The session would have more than ${limits.items} items. Send fewer, or use a new session.`,
      )
    case 'too_large':
      return new ServiceError(
        'payload_too_large',
        `The session would be larger than ${limits.bytes / 1024 / 1024} MiB. Send less, or use a new session.`,
      )
  }
}
