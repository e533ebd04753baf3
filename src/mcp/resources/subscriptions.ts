import type { AnswerEntry } from '../../cache/entry.ts'
import type { Mark } from '../../cache/invalidations.ts'
import { ServiceError } from '../../core/errors.ts'
import { META } from '../protocol/era.ts'
import { CODES, isObject, RpcError } from '../protocol/message.ts'
import { type Call, type Method, type Methods, notification } from '../protocol/methods.ts'
import { type ReadOptions, readResource } from './read.ts'

/** Tells of events that concern a kept answer, until it is told to stop. */
export type WatchEntry = (
  entry: Pick<AnswerEntry, 'asOf' | 'tags'>,
  onMark: (mark: Mark) => void,
) => Stop

export interface SubscriptionOptions extends ReadOptions {
  readonly watch: WatchEntry
  /** Aborted when all subscriptions end. */
  readonly ending: AbortSignal
}

type Stop = () => void

/** Resources of one subscription at most. */
const MOST = 100
/** Subscriptions of one process at most: each holds a connection. */
const MOST_OPEN = 1_000
/** Milliseconds. Clients subscribe again. */
const LONGEST = 86_400_000

/**
 * Watches one resource that the caller may read: what GitHub's webhooks say of anything that it
 * depends on, on whichever replica they arrive, is a change of it. Who loses access is told once
 * more, and then no longer.
 * @throws as `readResource`
 */
async function watchResource(
  options: SubscriptionOptions,
  uri: string,
  call: Call,
  { changed, gone }: { readonly changed: () => void; readonly gone: () => void },
): Promise<Stop> {
  const entry = await readResource(options, uri, call)
  let stop: Stop | undefined
  let lost = false
  const end = options.watch(entry, (mark) => {
    changed()
    if (mark !== 'revoked') return
    lost = true
    stop?.()
    if (stop) gone()
  })
  stop = end
  if (!lost) return end
  end()
  throw new ServiceError('not_found', 'It can no longer be read.')
}

const updated = (uri: string, meta: object) =>
  notification('notifications/resources/updated', { ...meta, uri })

/**
 * `subscriptions/listen`: one long answer that tells of changes until the client leaves or the
 * process ends (specification 2026-07-28, "Subscriptions").
 */
export function listenMethod(options: SubscriptionOptions): Method {
  let open = 0
  return async ({ notifications: filter }, call) => {
    const { id, send } = call
    if (!send) throw new RpcError(CODES.invalidRequest, 'Accept must have text/event-stream.')
    if (open >= MOST_OPEN) throw new RpcError(CODES.internalError, 'Too many subscriptions.')
    const uris = urisOf(filter)
    const meta = { _meta: { [META.subscriptionId]: id } }
    open += 1
    try {
      await listen(options, uris, call, {
        acknowledge: (notifications) =>
          send(
            notification('notifications/subscriptions/acknowledged', { ...meta, notifications }),
          ),
        changed: (uri) => send(updated(uri, meta)),
      })
    } finally {
      open -= 1
    }
    return meta
  }
}

interface Listener {
  readonly acknowledge: (notifications: object) => void
  readonly changed: (uri: string) => void
}

async function listen(
  options: SubscriptionOptions,
  uris: readonly string[],
  call: Call,
  { acknowledge, changed }: Listener,
): Promise<void> {
  const over = new AbortController()
  const watched = new Map<string, Stop>()
  /** What changes before the acknowledgement, which must come first. */
  let early: Set<string> | undefined = new Set()
  const tell = (uri: string) => (early ? early.add(uri) : changed(uri))
  const lose = (uri: string) => {
    watched.delete(uri)
    if (watched.size === 0) over.abort()
  }
  // What was permitted by a policy is so for as long as that is in force.
  const unwatch = call.caller.watchRights?.(() => over.abort())
  try {
    await Promise.all(
      uris.map(async (uri) => {
        const hears = { changed: () => tell(uri), gone: () => lose(uri) }
        // The acknowledgement tells which ones there are: those that the caller may read.
        const stop = await watchResource(options, uri, call, hears).catch(() => undefined)
        if (stop) watched.set(uri, stop)
      }),
    )
    acknowledge(watched.size > 0 ? { resourceSubscriptions: [...watched.keys()] } : {})
    const missed = early
    early = undefined
    for (const uri of missed) changed(uri)
    // Without anything to tell of there is nothing to wait for.
    if (watched.size === 0) return
    await aborted(
      AbortSignal.any([call.signal(), options.ending, over.signal, expiry(options, call)]),
    )
  } finally {
    unwatch?.()
    for (const stop of watched.values()) stop()
  }
}

/** @throws RpcError `invalidParams` */
function urisOf(filter: unknown): string[] {
  const uris = isObject(filter) ? (filter.resourceSubscriptions ?? []) : undefined
  if (Array.isArray(uris) && uris.length <= MOST && uris.every((uri) => typeof uri === 'string'))
    return [...new Set(uris)]
  const message = `notifications must be a filter, with at most ${MOST} resourceSubscriptions.`
  throw new RpcError(CODES.invalidParams, message)
}

/** What was permitted by a token is so for as long as the token is good. */
function expiry({ now }: SubscriptionOptions, { caller: { expiresAt } }: Call): AbortSignal {
  const left = (expiresAt ?? Number.POSITIVE_INFINITY) - now()
  return AbortSignal.timeout(Math.min(LONGEST, Math.max(0, left)))
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/**
 * `resources/subscribe` and `resources/unsubscribe` of earlier revisions, for a client that keeps one
 * connection to this process: without one there is nowhere to send what happens later.
 */
export function subscribeMethods(options: SubscriptionOptions): Methods {
  const watched = new Map<string, Stop>()
  const forget = (uri: string) => {
    watched.get(uri)?.()
    watched.delete(uri)
  }
  options.ending.addEventListener('abort', () => {
    for (const uri of [...watched.keys()]) forget(uri)
  })
  return {
    async 'resources/subscribe'(params, call) {
      const uri = uriOf(params.uri)
      if (watched.size >= MOST) throw new RpcError(CODES.invalidParams, `At most ${MOST} at once.`)
      const changed = () => call.send?.(updated(uri, {}))
      const stop = await watchResource(options, uri, call, { changed, gone: () => forget(uri) })
      forget(uri)
      watched.set(uri, stop)
      return {}
    },
    async 'resources/unsubscribe'(params) {
      forget(uriOf(params.uri))
      return {}
    },
  }
}

/** @throws RpcError `invalidParams` */
function uriOf(uri: unknown): string {
  if (typeof uri === 'string') return uri
  throw new RpcError(CODES.invalidParams, 'uri must be a string.')
}
