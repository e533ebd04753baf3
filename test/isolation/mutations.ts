import type { ContextCache } from '../../src/cache/contextCache.ts'
import type { Entry } from '../../src/cache/entry.ts'
import { createFlights } from '../../src/cache/flights.ts'
import { isRefusal } from '../../src/cache/refusals.ts'
import type { Cached, CacheRequest } from '../../src/cache/request.ts'
import type { Store } from '../../src/cache/store.ts'
import { ServiceError } from '../../src/core/errors.ts'
import { credentialDigest } from '../../src/github/resources.ts'
import type { Who } from './github.ts'
import type { Ask, Step } from './steps.ts'
import type { Mutation } from './system.ts'

/** The cache with every request changed on its way in. */
const asking =
  (change: (request: CacheRequest) => CacheRequest): NonNullable<Mutation['cache']> =>
  (cache) => ({
    atHand: (request) => cache.atHand(change(request)),
    get: (request) => cache.get(change(request)),
  })

const withoutPrincipal = ({ key }: CacheRequest) => key.slice(key.indexOf(':'))

/** A store whose entries are changed on their way out. */
function reading<S extends Store>(store: S, change: (entry: Entry) => Entry): S {
  return Object.create(store, {
    get: {
      value(key: string) {
        const found = store.get(key)
        return found instanceof Promise
          ? found.then((entry) => entry && change(entry))
          : found && change(found)
      },
    },
  })
}

/** A store that takes only some entries. */
function taking<S extends Store>(store: S, takes: (entry: Entry) => boolean): S {
  return Object.create(store, {
    set: {
      value: (key: string, entry: Entry) => (takes(entry) ? store.set(key, entry) : undefined),
    },
  })
}

const NEVER_SAID = /never said to it/
const TOO_OLD = /older than its policy/
const NOT_HEARD = /webhooks that it does not hear/
const NONE_CAME = /webhooks of which none came/
const forEver = (entry: Entry): Entry => ({ ...entry, keepUntil: Number.MAX_SAFE_INTEGER })
const isAnswer = ({ kind }: Entry) => kind === 'answer'

const asks = (type: Ask['type']): Step => ({
  do: 'ask',
  who: 'ann',
  ask: { replica: 0, type, repository: 'open', maxTokens: undefined, maxAge: undefined },
})
const waits = (seconds: number): Step => ({ do: 'wait', seconds })
const answers: Step = { do: 'deliverAll' }
const gone: Step = {
  do: 'deliverHook',
  replica: 0,
  delivery: { event: 'meta', repository: 'open' },
}
const fails: Step = { do: 'outage', steps: 10 }

const again = [asks('github_issue'), answers]

/** How its loss shows. */
interface Shown {
  readonly fault: RegExp
  readonly steps?: readonly Step[]
  /** Whether webhooks come in those. */
  readonly webhooks?: boolean
}

/**
 * What keeps answers where they belong, each taken out by itself, and the fault that shows it; with
 * `steps` where few histories would come to it.
 */
export const mutations: Record<string, Mutation & Shown> = {
  'the principal in the key': {
    fault: NEVER_SAID,
    cache: asking((request) => ({ ...request, key: withoutPrincipal(request) })),
  },

  'the principal in what callers wait for together': {
    fault: NEVER_SAID,
    cache: coalescing,
  },

  'the removal of what GitHub refused': {
    fault: /before a refusal/,
    memory: (store) => taking(store, isAnswer),
    shared: (store) => taking(store, isAnswer),
    invalidations: (real) =>
      Object.create(real, {
        mark: {
          value: async (mark: 'changed' | 'revoked', tags: readonly string[]) => {
            const events = tags.filter((tag) => !tag.endsWith(':answer'))
            if (events.length > 0) await real.mark(mark, events)
          },
        },
      }),
  },

  'the difference between a refusal and a failure': {
    fault: /before a refusal/,
    cache: asking((request) => ({
      ...request,
      load: (signal, urgency) =>
        request.load(signal, urgency).catch((error: unknown) => {
          throw isRefusal(error) ? new ServiceError('upstream_error', 'Masked.') : error
        }),
    })),
  },

  'the verdict of events': {
    fault: /had been (changed|revoked) before/,
    invalidations: (real) => Object.create(real, { verdict: { value: () => undefined } }),
  },

  'the removal of everything of a refused credential': {
    fault: /before a refusal/,
    invalidations: (real) =>
      Object.create(real, {
        mark: {
          value: async (mark: 'changed' | 'revoked', tags: readonly string[]) => {
            const events = tags.filter((tag) => !tag.startsWith('principal:'))
            if (events.length > 0) await real.mark(mark, events)
          },
        },
      }),
  },

  'the credential that a stored tag belongs to': {
    fault: NEVER_SAID,
    resources: (store, github) => ({
      ...store,
      async find(principal, name) {
        const found = await store.find(principal, name)
        const tagFor = credentialDigest(principal, github.authorization(principal as Who))
        return found && { own: true, resource: { ...found.resource, tagFor } }
      },
    }),
  },

  'the 304 that confirms a body': {
    fault: NEVER_SAID,
    dispatch: (dispatch) => (options, handler) => {
      const isConditional = 'if-none-match' in (options.headers as object)
      const confirmed: typeof handler = {
        ...handler,
        onResponseStart: (controller, _status, headers) =>
          handler.onResponseStart?.(controller, 304, headers),
      }
      return dispatch(options, isConditional ? confirmed : handler)
    },
  },

  'the time for which an answer is kept': {
    fault: TOO_OLD,
    memory: (store) => reading(store, forEver),
    shared: (store) => reading(store, forEver),
  },

  'the time for which an answer is fresh': {
    fault: TOO_OLD,
    memory: (store) =>
      reading(store, (entry) => ({ ...forEver(entry), freshUntil: forEver(entry).keepUntil })),
  },

  'GitHub’s word that a repository is public': {
    fault: TOO_OLD,
    publicity: (real) => ({ ...real, permits: async () => true }),
  },

  'the age of GitHub’s word that a repository is public': {
    fault: TOO_OLD,
    steps: [
      ...[asks('github_repo'), answers, waits(1_500), asks('github_issue'), answers],
      ...[waits(910), fails, asks('github_issue'), answers, answers],
    ],
    publicity: (real) => ({
      ...real,
      permits: (entry, needed) => real.permits({ ...entry, asOf: 0 }, needed),
    }),
  },

  'GitHub’s word that a repository is private now': {
    fault: TOO_OLD,
    steps: [
      { do: 'access', who: 'ann', repository: 'open' },
      ...[asks('github_repo'), answers, asks('github_issue'), answers],
      ...[{ do: 'visibility' } as const, waits(400), asks('github_repo'), answers],
      ...[waits(600), fails, asks('github_issue'), answers, answers],
    ],
    publicity: (real) => ({
      ...real,
      lost: () => {},
      listen() {
        const hear = real.listen()
        return (words) => hear(words.filter(({ visibility }) => visibility === 'public'))
      },
    }),
  },

  'the distrust of memory after events were missed': {
    fault: /events were missed/,
    invalidations: (real) => Object.create(real, { missedUntil: { value: 0 } }),
  },

  'the distrust of others’ answers while events are not heard': {
    fault: /cannot judge/,
    invalidations: (real) => Object.create(real, { informed: { value: true } }),
  },

  'the hearing of what webhooks tell': {
    fault: NOT_HEARD,
    webhooks: true,
    steps: [asks('github_issue'), answers, { do: 'bus', replica: 0 }, waits(70), ...again],
    hearing: (real) => ({ ...real, since: () => true }),
  },

  'the signs of life': {
    fault: NOT_HEARD,
    webhooks: true,
    steps: [asks('github_issue'), answers, { do: 'hang', replica: 0 }, waits(70), ...again],
    hearing: (real, invalidations) => ({
      ...real,
      since: (at) => invalidations.informed && at >= invalidations.missedUntil,
    }),
  },

  'the deliveries that show that webhooks come': {
    fault: NONE_CAME,
    webhooks: true,
    steps: [{ do: 'flush' }, asks('github_issue'), answers],
    coverage: (real) => ({ ...real, covers: async () => true }),
  },

  'the end of a webhook': {
    fault: NONE_CAME,
    webhooks: true,
    steps: [gone, asks('github_issue'), answers],
    coverage: (real) => ({
      ...real,
      delivered: async (event, ...told) => {
        if (event !== 'meta') await real.delivered(event, ...told)
      },
    }),
  },

  'the caller’s own bound on age': {
    fault: /max_age/,
    cache: asking((request) => ({ ...request, maxAge: undefined })),
  },

  'the age of an answer since its fetch began': {
    fault: /older than it says/,
    memory: (store, now) =>
      Object.create(store, {
        set: { value: (key: string, entry: Entry) => store.set(key, { ...entry, asOf: now() }) },
      }),
  },
}

/** Waiters of the same request get one answer, whoever they are. */
function coalescing(cache: ContextCache, now: () => number): ContextCache {
  const flights = createFlights<Cached>(now)
  return {
    atHand: () => undefined,
    async get(request) {
      const key = `${withoutPrincipal(request)}#${request.maxAge}`
      const signal = request.signal()
      const { value } = await flights.run(
        key,
        signal,
        request.maxAge === undefined ? 0 : now(),
        () => cache.get({ ...request, signal: () => signal }),
      )
      return value
    },
  }
}
