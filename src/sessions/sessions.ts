import { randomBytes } from 'node:crypto'
import type { ContextRequest } from '../context/request/request.ts'
import { ServiceError } from '../core/errors.ts'
import { createPace, measureTokens } from '../core/tokens.ts'
import { type Caller, type Fetched, fetchItems } from './github/fetch.ts'
import { type Kind, sourceName } from './github/source.ts'
import { type Item, shownOf } from './items/item.ts'
import type { Items } from './items/parse.ts'
import { refusalOf } from './refusals.ts'
import { sideBySide } from './sideBySide.ts'
import { readState } from './state.ts'
import { type StatusView, viewOf } from './status.ts'
import type { Address, Put } from './store/store.ts'
import type { Invocation } from './turn/request.ts'
import { runTurn, type TurnEvent, type TurnOptions } from './turn/turn.ts'

/** Bytes of randomness in an id. */
const ID_BYTES = 18
/** Requests to GitHub that are under way at once for one caller's request. */
const AT_ONCE = 8

/** What to fetch into a session, and where the caller asked for it. */
export interface Wanted {
  readonly kind: Kind
  readonly request: ContextRequest
  /** JSON Pointer. */
  readonly pointer: string
}

/** Conversations with what they are about. Every method but `create` throws ServiceError `not_found`. */
export interface Sessions {
  create(owner: string): Promise<{ id: string; createdAt: number; expiresAt: number }>
  /** @throws ServiceError `payload_too_large` */
  add(session: Address, items: Items): Promise<void>
  /**
   * Fetches into the session, all or nothing.
   * @throws ServiceError as `Engine`, with the pointer of what failed; `payload_too_large`
   */
  fetch(session: Address, wanted: readonly Wanted[], caller: Caller): Promise<void>
  invoke(session: Address, invocation: Invocation, caller: Caller): AsyncGenerator<TurnEvent>
  status(session: Address): Promise<StatusView>
  remove(session: Address): Promise<void>
}

export function createSessions(options: TurnOptions): Sessions {
  const { limits, store } = options

  async function append(session: Address, items: readonly Put[], sources = new Map()) {
    const outcome = await store.append(session, { items, sources })
    if (outcome !== 'done') throw refusalOf(outcome, limits)
  }

  return {
    async create(owner) {
      const id = randomBytes(ID_BYTES).toString('base64url')
      return { id, ...(await store.create({ id, owner })) }
    },
    add: (session, items) => append(session, putsOf(items, false)),
    async fetch(session, wanted, caller) {
      // GitHub is not asked for a session that is not there.
      await append(session, [])
      const fetched = await fetchAll(options, wanted, caller)
      const items = new Map<string, Item>()
      const sources = new Map<string, string>()
      const pace = createPace()
      for (const [index, { items: found = [], source }] of fetched.entries()) {
        const { kind, request } = wanted[index] as Wanted
        const name = sourceName(kind, request)
        sources.set(name, JSON.stringify(source))
        for (const { item, key } of found) {
          const named = { ...item, source: name }
          items.set(key, { ...named, tokens: await measureTokens(shownOf(named), pace) })
        }
      }
      await append(session, putsOf(items, true), sources)
    },
    invoke: (session, invocation, caller) => runTurn(options, session, invocation, caller),
    async status(session) {
      const record = await store.read(session)
      if (!record) throw refusalOf('missing', limits)
      return viewOf(session.id, await readState(record))
    },
    async remove(session) {
      if (!(await store.remove(session))) throw refusalOf('missing', limits)
    },
  }
}

function putsOf(items: Items, told: boolean): Put[] {
  return [...items].map(([key, item]) => ({ key, json: JSON.stringify(item), told }))
}

function fetchAll(
  options: TurnOptions,
  wanted: readonly Wanted[],
  caller: Caller,
): Promise<Fetched[]> {
  return sideBySide(wanted, AT_ONCE, async ({ kind, pointer, request }) => {
    try {
      return await fetchItems(options, kind, request, caller)
    } catch (error) {
      if (!(error instanceof ServiceError) || pointer === '') throw error
      const { code, detail, retryAfter } = error
      throw new ServiceError(code, `${pointer}: ${detail}`, {
        errors: [{ pointer, message: detail }],
        ...(retryAfter === undefined ? {} : { retryAfter }),
        cause: error,
      })
    }
  })
}
