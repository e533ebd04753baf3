import { randomUUID } from 'node:crypto'
import { ServiceError } from '../../core/errors.ts'
import { createPace, measureTokens } from '../../core/tokens.ts'
import type { ModelEvent, Models } from '../../models/model.ts'
import type { Caller } from '../github/fetch.ts'
import { type Refreshed, type RefreshOptions, refresh } from '../github/refresh.ts'
import { refusalOf } from '../refusals.ts'
import { readState, type SessionState, type Turn, type Usage } from '../state.ts'
import type { Address, Commit, Limits, SessionStore } from '../store/store.ts'
import { candidate } from './material.ts'
import { buildPrompt, type Prompt } from './prompt.ts'
import type { Ranker } from './rank.ts'
import type { Invocation, ModelConfig } from './request.ts'
import { isWithheld, type Update, updatesOf } from './updates.ts'

/** Tokens of a reply, unless the caller says otherwise. */
const REPLY = 4_096
const REPLY_SHARE = 0.25
/**
 * Of what a window leaves beside the reply, what a prompt may fill: it is counted by o200k_base, of
 * which other tokenizers make up to a third more.
 */
const PROMPT_SHARE = 0.75
/** Bytes that a turn takes at least: where they are not left, the model is not asked in vain. */
const LEAST_TURN = 1_024

export interface TurnOptions extends RefreshOptions {
  readonly store: SessionStore
  readonly limits: Limits
  readonly models: Models
  readonly ranker: Ranker
  /** Tokens of a prompt at most, however large the model's window is. */
  readonly promptTokens: number
  /** Told what became of a turn: `ok`, `aborted`, or a problem's code. */
  readonly onTurn: (outcome: string) => void
  /** Sessions of which a turn runs in this process. */
  readonly running: Set<string>
}

export interface TurnAnswer {
  readonly model_response: string
  readonly session_id: string
  readonly context_updates: readonly Update[]
  readonly usage: Usage
}

type Reply = Extract<ModelEvent, { type: 'text' }>
type End = Extract<ModelEvent, { type: 'end' }>

export type TurnEvent =
  | Reply
  /** The last event: the turn is kept. */
  | { readonly type: 'end'; readonly answer: TurnAnswer }

/**
 * One turn: the session's items are looked at again, the model answers, and both are kept in one
 * step. A turn that fails, or that its caller leaves, changes nothing.
 * @throws ServiceError `not_found`, `conflict`, `payload_too_large`, `invalid_request`, `model_*`;
 * the caller's signal's reason
 */
export async function* runTurn(
  options: TurnOptions,
  session: Address,
  invocation: Invocation,
  caller: Caller,
): AsyncGenerator<TurnEvent, void, undefined> {
  const { limits, onTurn, running } = options
  // By owner too: to others a session is not there, whether or not it is busy.
  const name = JSON.stringify(session)
  // What the model says to the second of two turns could not be kept: it need not be asked.
  if (running.has(name)) throw refusalOf('conflict', limits)
  running.add(name)
  let outcome = 'aborted'
  try {
    const answer = yield* exchange(options, session, invocation, caller)
    outcome = 'ok'
    running.delete(name)
    yield { type: 'end', answer }
  } catch (error) {
    if (!caller.signal.aborted)
      outcome = error instanceof ServiceError ? error.code : 'internal_error'
    throw error
  } finally {
    if (outcome !== 'ok') running.delete(name)
    onTurn(outcome)
  }
}

async function* exchange(
  options: TurnOptions,
  session: Address,
  { config, input }: Invocation,
  caller: Caller,
): AsyncGenerator<Reply, TurnAnswer, undefined> {
  const state = await open(options, session)
  const { adapter, model } = options.models.choose(config)
  const window = adapter.contextWindow(model)
  const maxTokens = config.max_tokens ?? defaultReply(window)
  const room = roomOf(options, window, maxTokens)
  const refreshed = await refresh(options, state, caller)
  const updates = updatesOf(refreshed, state.sources)
  const { system, temperature } = config
  const given = { input, system, room }
  const prompt = await promptOf(options, session, state, refreshed, updates, given)
  const { messages } = prompt
  const request = { model, system: prompt.system, messages, maxTokens, temperature }
  let text = ''
  let end: End | undefined
  for await (const event of adapter.reply(request, caller.signal, caller.meter.span)) {
    if (event.type === 'end') end = event
    else if (event.text !== '') {
      text += event.text
      yield event
    }
  }
  if (!end) throw new ServiceError('model_error', 'The model’s reply broke off. Try again.')
  // Of a reply that its caller did not wait for, nothing is kept.
  caller.signal.throwIfAborted()
  const usage = usageOf(adapter.provider, end, prompt)
  const turn: Turn = {
    user_input: input,
    model_response: text,
    created_at: new Date(options.now()).toISOString(),
    tokens: prompt.inputTokens + (await measureTokens(text, createPace())),
    usage,
  }
  await keep(options, session, state, refreshed, turn)
  return { model_response: text, session_id: session.id, context_updates: updates, usage }
}

/** The session, where it can have another turn. */
async function open({ limits, store }: TurnOptions, session: Address): Promise<SessionState> {
  const record = await store.read(session)
  if (!record) throw refusalOf('missing', limits)
  if (record.turns.length >= limits.turns) throw refusalOf('too_many_turns', limits)
  if (record.bytes + LEAST_TURN > limits.bytes) throw refusalOf('too_large', limits)
  return readState(record)
}

function defaultReply(window: number): number {
  return Math.max(1, Math.min(REPLY, Math.floor(window * REPLY_SHARE)))
}

function roomOf({ promptTokens }: TurnOptions, window: number, maxTokens: number): number {
  const room = Math.floor(Math.min(promptTokens, (window - maxTokens) * PROMPT_SHARE))
  if (room > 0) return room
  const message = `leaves no room for a prompt: prompt and reply have ${window} tokens together`
  throw new ServiceError('invalid_request', `/model_config/max_tokens: ${message}`, {
    errors: [{ pointer: '/model_config/max_tokens', message }],
  })
}

function promptOf(
  { ranker }: TurnOptions,
  session: Address,
  state: SessionState,
  { items, sources, unavailable }: Refreshed,
  updates: readonly Update[],
  given: { input: string; system: ModelConfig['system']; room: number },
): Promise<Prompt> {
  const shown = [...items.values()].filter(({ key }) => !isWithheld(unavailable.get(key)))
  const asOf = (name = '') => (sources.get(name) ?? state.sources.get(name))?.asOf
  return buildPrompt({
    ...given,
    turns: state.turns,
    candidates: shown.map((kept, index) => candidate(kept, index + 1, asOf(kept.item.source))),
    updates,
    rank: () => ranker.rank(session.id, shown, given.input),
  })
}

function usageOf(provider: string, end: End, prompt: Prompt): Usage {
  return {
    provider,
    model: end.model,
    input_tokens: end.usage.input,
    output_tokens: end.usage.output,
    saved_tokens: prompt.saved,
    items_sent: prompt.itemsSent,
    items_named: prompt.itemsNamed,
    turns_sent: prompt.turnsSent,
    truncated: end.truncated,
  }
}

/** @throws ServiceError `conflict`, `payload_too_large`, `not_found` */
async function keep(
  { limits, store }: TurnOptions,
  session: Address,
  state: SessionState,
  refreshed: Refreshed,
  turn: Turn,
): Promise<void> {
  const bare: Commit = {
    turnId: randomUUID(),
    turn: JSON.stringify(turn),
    after: state.turns.length,
    items: [],
    removed: [],
    told: [],
    sources: new Map(),
  }
  const outcome = await store.commit(session, { ...bare, ...changesOf(state, refreshed) })
  if (outcome === 'done') return
  // What GitHub has added must not cost the turn: the next one looks again.
  const isFull = outcome === 'too_large' || outcome === 'too_many_items'
  const second = isFull ? await store.commit(session, bare) : outcome
  if (second !== 'done') throw refusalOf(second, limits)
}

function changesOf(
  state: SessionState,
  { changed, gone, items, sources }: Refreshed,
): Pick<Commit, 'items' | 'removed' | 'told' | 'sources'> {
  const kept = (key: string) => items.get(key)
  return {
    items: [...changed].flatMap((key) => {
      const current = kept(key)
      if (!current) return []
      return [{ key, version: current.version, json: JSON.stringify(current.item) }]
    }),
    removed: gone.flatMap(({ key, version }) => (version === undefined ? [] : [{ key, version }])),
    told: state.items.flatMap(({ before, key, version }) =>
      before === undefined || version === undefined || !kept(key) ? [] : [{ key, version }],
    ),
    sources: new Map(
      [...sources].map(([name, source]) => [name, source && JSON.stringify(source)]),
    ),
  }
}
