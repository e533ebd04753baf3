import { setTimeout as sleep } from 'node:timers/promises'
import type { Question } from './judge.ts'
import type { Reply } from './replicas.ts'
import { contextOf, headersOf, type Stage } from './stage.ts'
import type { Need } from './tally.ts'
import { ISSUES, OPEN, type Who } from './world.ts'

/** Milliseconds between two requests of a conversation. */
const PAUSE_MS = 60
const TURNS = 4
const NOTE = /note-\d+-of-[a-z]+-\d+/g

/** One conversation after the other: notes, turns with the echo model, issues, and what is kept of them. */
export async function converse(stage: Stage, who: Who, signal: AbortSignal): Promise<void> {
  for (let count = 1; !signal.aborted; count += 1)
    await converseOnce(stage, who, `${who}-${count}`, signal)
}

async function converseOnce(stage: Stage, who: Who, name: string, signal: AbortSignal) {
  const { judge, replicas, tally } = stage
  const question = (need: Need): Question => {
    const number = 1 + Math.floor(Math.random() * ISSUES)
    return { who, repository: `${OPEN.owner}/${OPEN.name}`, number, need }
  }

  /** The answer; undefined where the request failed, which has been judged then. */
  async function send(method: string, path: string, body?: unknown) {
    tally.asked('session')
    const headers = { ...headersOf(stage, who), 'content-type': 'application/json' }
    const ask = { method, path: `/mcp/session/${path}`, headers }
    const reply = await replicas.send(
      body === undefined ? ask : { ...ask, body: JSON.stringify(body) },
    )
    await sleep(PAUSE_MS * (0.5 + Math.random()))
    if (reply.status !== 0 && reply.status >= 200 && reply.status < 300) {
      tally.answered('session', 'ok')
      return reply
    }
    // A session that fetches needs both.
    judge.failure(question(reply.text.includes('"upstream_') ? 'github' : 'session'), reply)
    return undefined
  }

  const made = await send('POST', 'create')
  const id: string | undefined = made && JSON.parse(made.text).session_id
  if (id === undefined) return
  const kept: string[] = []
  for (let turn = 1; turn <= TURNS && !signal.aborted; turn += 1) {
    const note = `note-${turn}-of-${name}`
    // Where it failed nobody knows whether it was kept: only what was acknowledged is looked for.
    if (await send('POST', `${id}/context`, [{ type: 'note', content: note }])) kept.push(note)
    const asked = question('session')
    const requests = [contextOf(asked)]
    await send('POST', `${id}/github_context`, { requests })
    const said = await send('POST', `${id}/invoke`, { user_input: `Turn ${turn} of ${name}` })
    if (said) look(said)
  }
  const status = await send('GET', `${id}/status`)
  if (status) {
    look(status)
    const lost = kept.filter((note) => !status.text.includes(note))
    if (lost.length > 0) tally.blame('wrong', `session ${name} lost ${lost.join()}`)
  }
  await send('DELETE', id)

  /** Nothing of another's conversation may be in it. */
  function look({ text }: Reply): void {
    const others = [...text.matchAll(NOTE)].filter(([note]) => !note.endsWith(`-of-${name}`))
    if (others.length > 0) tally.blame('foreign', `session ${name} has ${others.join()}`)
  }
}
