import { type CallOptions, call } from './call.ts'
import { knownCallersOnly } from './failures.ts'
import { dataOf, type GraphReply, limitOf, readReply } from './graphqlReply.ts'
import { GRAPHQL } from './path.ts'
import { type Patience, patiently, type Reading, type Usage } from './patiently.ts'

/** A document that begins with what reads: `query`, or the braces alone. Comments and commas are blank. */
const READS = /^(?:[\s,\uFEFF]|#[^\n\r]*[\n\r])*(?:query\b|\{)/

/**
 * One query, retried within its time: it only reads, although it is sent with POST. Its answer has no
 * tag by which GitHub could say that nothing changed.
 * @throws ServiceError as `GitHub.graphql`
 */
export async function askGraphQL<T>(
  options: CallOptions & Patience,
  reading: Reading,
  usage: Usage,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<T> {
  if (!READS.test(query)) throw new TypeError('Only queries are sent to GitHub by GraphQL')
  if (reading.credential.anonymous) throw knownCallersOnly()
  const body = JSON.stringify({ query, variables })
  usage.changed += 1
  return patiently(
    options,
    reading,
    async (attempt, authorization) =>
      (await ask(options, attempt, usage, body, authorization)) as T,
  )
}

async function ask(
  options: CallOptions,
  { caller, credential, onAnswer, signal, span, urgency }: Reading,
  usage: Usage,
  body: string,
  authorization: string | undefined,
): Promise<object> {
  const { now } = options
  let reply: GraphReply | undefined
  const answer = await call(options, {
    by: credential,
    method: 'POST',
    path: GRAPHQL,
    headers: {
      'content-type': 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body,
    urgency,
    caller,
    signal,
    span,
    onAnswer,
    onSend: () => {
      usage.calls += 1
    },
    limited(answer, at) {
      reply = readReply(answer)
      return limitOf(reply, at)
    },
  })
  reply ??= readReply(answer)
  const at = now()
  return dataOf(reply, limitOf(reply, at), at, credential.from)
}
