import { setTimeout as sleep } from 'node:timers/promises'
import { message } from '../../test/support/mcp/client.ts'
import type { Question } from './judge.ts'
import type { Reply } from './replicas.ts'
import { converse } from './sessions.ts'
import { askFor, contextOf, headersOf, jsonType, pathOf, readable, type Stage } from './stage.ts'
import { IN_WORDS, type Need } from './tally.ts'
import { ISSUES, SHARED, type Who } from './world.ts'

/** Milliseconds between two requests of one caller. */
const PAUSE_MS = 30
const WHO = ['service', 'ann', 'bob'] as const

/** The answer's own word on how it came about. */
function outcomeOf({ headers }: Reply): string {
  const status = String(headers['cache-status'] ?? '')
  return /stale-if-error|hit; ttl=-/.test(status) ? 'ok, stale' : 'ok'
}

function judgeOne({ judge, tally }: Stage, question: Question, reply: Reply): void {
  if (judge.failure(question, reply)) return
  tally.answered(question.need, outcomeOf(reply))
  const age = reply.headers.age
  judge.content(question, reply, reply.text, age === undefined ? undefined : Number(age))
}

type Kind = (stage: Stage, question: Question) => Promise<void>

const ACCEPTS = ['application/json', 'application/json', 'application/json', 'text/markdown']

const one: Kind = async (stage, question) => {
  const accept = ACCEPTS[Math.floor(Math.random() * ACCEPTS.length)]
  judgeOne(stage, question, await stage.replicas.send(askFor(stage, question, accept)))
}

const stream: Kind = async (stage, question) => {
  const { judge, replicas, tally } = stage
  const reply = await replicas.send(askFor(stage, question, 'text/event-stream'))
  if (judge.failure(question, reply)) return
  const last = /event: error\ndata: (.*)\n/.exec(reply.text)?.[1]
  if (last !== undefined) judge.problem(question, reply, JSON.parse(last))
  else if (!reply.text.includes('event: done\n')) tally.blame('wrong', 'a stream without an end')
  else {
    tally.answered(question.need, 'ok')
    // What came before a restart is not part of the answer.
    judge.content(question, reply, reply.text.split('event: restart\n').at(-1) ?? '')
  }
}

const batch: Kind = async (stage, question) => {
  const { judge, replicas, tally } = stage
  const numbers = [question.number ?? 1, 1 + ((question.number ?? 0) % ISSUES)]
  const questions = numbers.map((number) => ({ ...question, number }))
  const headers = { ...headersOf(stage, question.who), ...jsonType }
  const body = JSON.stringify({ requests: questions.map(contextOf) })
  const reply = await replicas.send({ method: 'POST', path: '/mcp/context/batch', headers, body })
  if (judge.failure(question, reply)) return
  const { results } = JSON.parse(reply.text)
  for (const [index, asked] of questions.entries()) {
    const { answer, problem } = results[index]
    if (problem) judge.problem(asked, reply, problem)
    else {
      tally.answered(asked.need, 'ok')
      judge.content(asked, reply, JSON.stringify(answer))
    }
  }
}

/** A tool call. What it answers has a budget, so that no other kind of request keeps it warm. */
const mcp: Kind = async (stage, { maxAge: _, ...question }) => {
  const { judge, replicas, tally } = stage
  const asked: Question = { ...question, need: 'github' }
  const { repository, number } = question
  const args =
    number === undefined ? { repository } : { repository, issue_number: number, max_tokens: 3_000 }
  const name = number === undefined ? 'github_list_issues' : 'github_issue'
  const { body, headers } = message('2025-11-25', 'tools/call', { name, arguments: args })
  const reply = await replicas.send({
    method: 'POST',
    path: '/mcp',
    headers: { ...headersOf(stage, question.who), ...headers },
    body: JSON.stringify(body),
  })
  if (judge.failure(asked, reply)) return
  const { result, error } = JSON.parse(reply.text)
  if (result?.isError || error) judge.problem(asked, reply, problemIn(result, error))
  else {
    tally.answered(asked.need, 'ok')
    judge.content(asked, reply, reply.text)
  }
}

/** A tool's failure is text for a model: it names no code. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the tool answered
function problemIn(result: any, error: any) {
  const detail = String(result?.content?.[0]?.text ?? error?.message)
  return { code: IN_WORDS, status: 200, detail }
}

const KINDS: Readonly<Record<string, Kind>> = { one, stream, batch, mcp }
const WEIGHTED = [...Array(6).fill('one'), 'stream', 'batch', 'mcp', 'mcp'] as string[]
const AGES = [undefined, undefined, undefined, undefined, 0, 1, 3]

const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T

function askedBy(stage: Stage, who: Who): Question {
  const repository = pathOf(pick(readable(stage, who)))
  const number = Math.random() < 0.1 ? undefined : 1 + Math.floor(Math.random() * ISSUES)
  const maxAge = pick(AGES)
  const need: Need = maxAge === undefined ? 'kept' : 'github'
  return maxAge === undefined
    ? { who, repository, number, need }
    : { who, repository, number, need, maxAge }
}

async function call(stage: Stage, who: Who, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const kind = pick(WEIGHTED)
    stage.tally.asked(kind)
    const question = askedBy(stage, who)
    await KINDS[kind]?.(
      stage,
      kind === 'batch' ? { ...question, number: question.number ?? 1 } : question,
    )
    await sleep(PAUSE_MS * (0.5 + Math.random()))
  }
}

/** Strangers' tries at what is not theirs: whatever they get, no content may be in it. */
async function pry(stage: Stage, signal: AbortSignal): Promise<void> {
  const { replicas, tally, judge } = stage
  const wanted = [
    ['ann', 'bob/private'],
    ['bob', 'ann/private'],
    ['service', 'ann/private'],
    ['service', pathOf(SHARED)],
  ] as const
  while (!signal.aborted) {
    const [who, repository] = pick(wanted)
    const number = 1 + Math.floor(Math.random() * ISSUES)
    const question: Question = { who, repository, number, need: 'github' }
    tally.asked('prying')
    const reply = await replicas.send(askFor(stage, question))
    if (reply.status === 200) judge.content(question, reply, reply.text)
    else if (reply.status === 404) tally.answered('github', 'refused as it should be')
    else judge.failure(question, reply)
    await sleep(PAUSE_MS * 4)
  }
}

/** All callers at once, until `signal`. */
export async function makeCalls(stage: Stage, signal: AbortSignal): Promise<void> {
  await Promise.all([
    ...WHO.flatMap((who) => [call(stage, who, signal), call(stage, who, signal)]),
    pry(stage, signal),
    converse(stage, 'ann', signal),
    converse(stage, 'service', signal),
  ])
}

/** Has every replica keep every answer that callers count on. */
export async function warm(stage: Stage, among = 3): Promise<void> {
  for (const who of WHO) {
    for (const repository of readable(stage, who).map(pathOf)) {
      const numbers = [undefined, ...Array.from({ length: ISSUES }, (_, at) => at + 1)]
      const questions = numbers.map((number) => ({
        who,
        repository,
        number,
        need: 'kept' as const,
      }))
      for (let index = 0; index < among; index += 1) {
        await Promise.all(
          questions.map(async (question) => {
            stage.tally.asked('warming')
            const reply = await stage.replicas.sendTo(index, askFor(stage, question))
            judgeOne(stage, question, reply)
          }),
        )
      }
    }
  }
}
