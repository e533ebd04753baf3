import { verifyWithFallback } from '@octokit/webhooks-methods'
import { Type } from '@sinclair/typebox'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Hook } from '../../context/webhooks/coverage.ts'
import { KNOWN_EVENTS, type Marks, marksOf } from '../../context/webhooks/marks.ts'
import type { Payload } from '../../context/webhooks/payload.ts'
import { ServiceError } from '../../core/errors.ts'
import type { Deliveries } from '../deliveries.ts'
import { problemResponses } from '../schemas.ts'

export interface WebhookOptions {
  /** One is enough; more while they are rotated. */
  readonly secrets: readonly string[]
  readonly deliveries: Deliveries
  /** Makes kept answers stale, here and on all replicas. */
  readonly mark: (marks: Marks) => Promise<void>
  /** What else a delivery says, once what it makes stale is told; absent where nobody listens. */
  readonly heard?: ((event: string, payload: Payload, hook: Hook) => Promise<void>) | undefined
  /** Counts deliveries whose signature is right. */
  readonly delivered: (event: string, outcome: WebhookOutcome) => void
}

export type WebhookOutcome = 'applied' | 'ignored' | 'duplicate'

/** Bytes: GitHub's own cap (docs.github.com/webhooks/webhook-events-and-payloads, "Payload cap"). */
const LARGEST = 25 * 1024 * 1024
const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'

/** GitHub's signed word that something changed (docs.github.com/webhooks). */
export async function webhookRoute(app: FastifyInstance, options: WebhookOptions): Promise<void> {
  const running = new Set<Promise<void>>()

  // Only here are bodies taken as they came: the signature is over their very bytes.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser([JSON_TYPE, FORM_TYPE], { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  )
  app.setErrorHandler<FastifyError>((error) => {
    throw explain(error)
  })
  app.addHook('onClose', async () => void (await Promise.all(running)))

  app.post('/webhooks/github', {
    bodyLimit: LARGEST,
    config: { open: true, rateLimit: false },
    schema: {
      operationId: 'receiveWebhook',
      summary: 'Takes a webhook of GitHub’s: what it names is asked for anew',
      tags: ['operation'],
      security: [{ webhookSignature: [] }],
      consumes: [JSON_TYPE, FORM_TYPE],
      body: Type.Unsafe({ type: 'object', description: 'As GitHub sends it' }),
      response: {
        202: { description: 'It is acted upon', type: 'null' },
        204: { description: 'Nothing to do: known already, or of no concern', type: 'null' },
        ...problemResponses(400, 413, 415),
        401: {
          ...problemResponses(401)[401],
          description: 'The signature is not by one of the secrets',
        },
      },
    },
    validatorCompiler: () => () => true,
    // Before the body is read: a stranger must not make this process hold 25 MiB for nothing.
    onRequest: (request, _reply, done) => done(missing(request)),
    handler: (request, reply) => receive(options, running, request, reply),
  })
}

async function receive(
  { deliveries, delivered, heard, mark, secrets }: WebhookOptions,
  running: Set<Promise<void>>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { event, hook, id, signature } = headersOf(request)
  const body = request.body as string
  const [secret = '', ...others] = secrets
  if (body === '' || !(await verifyWithFallback(secret, body, signature, others))) throw unsigned()
  const payload = parse(body, request.headers['content-type'])
  const known = KNOWN_EVENTS.has(event) ? event : 'other'
  if (!(await deliveries.first(id))) {
    delivered(known, 'duplicate')
    return reply.code(204).send()
  }
  const marks = marksOf(event, payload)
  delivered(known, marks ? 'applied' : 'ignored')
  // GitHub wants its answer within 10 s whatever Redis does.
  const work = Promise.resolve(marks && mark(marks))
    .then(() => heard?.(event, payload, hook))
    .catch((error: unknown) => request.log.error({ err: error }, 'a webhook was not applied'))
    .finally(() => running.delete(work))
  running.add(work)
  return reply.code(marks ? 202 : 204).send()
}

function headersOf({ headers }: FastifyRequest) {
  const text = (name: string) => headers[name]?.toString() ?? ''
  return {
    event: text('x-github-event'),
    hook: {
      id: text('x-github-hook-id').slice(0, 40),
      target: text('x-github-hook-installation-target-type'),
    },
    id: text('x-github-delivery'),
    signature: text('x-hub-signature-256'),
  }
}

/** What is wrong with the headers, if anything is. */
function missing(request: FastifyRequest): ServiceError | undefined {
  const { event, id, signature } = headersOf(request)
  const wrong = [
    !/^\w{1,64}$/.test(event) && 'X-GitHub-Event',
    !/^[\w-]{1,100}$/.test(id) && 'X-GitHub-Delivery',
    signature === '' && 'X-Hub-Signature-256',
  ].filter((name) => name !== false)
  if (wrong.length === 0) return undefined
  return new ServiceError(
    'invalid_request',
    `Not a signed delivery of GitHub's: ${wrong.join(', ')} missing. Set a secret on the webhook's page on GitHub.`,
  )
}

function unsigned(): ServiceError {
  return new ServiceError(
    'unauthorized',
    'X-Hub-Signature-256 is not by a secret that is configured here. Compare GITHUB_WEBHOOK_SECRET with the secret on the webhook’s page on GitHub.',
  )
}

/** @throws ServiceError `invalid_request` */
function parse(body: string, contentType = ''): Payload {
  try {
    const form = contentType.startsWith(FORM_TYPE)
    const payload: unknown = JSON.parse(
      form ? (new URLSearchParams(body).get('payload') ?? '') : body,
    )
    if (typeof payload === 'object' && payload !== null) return payload
  } catch (cause) {
    throw unreadable(cause)
  }
  throw unreadable(undefined)
}

function unreadable(cause: unknown): ServiceError {
  return new ServiceError('invalid_request', 'The body holds no JSON object.', { cause })
}

function explain(error: FastifyError): unknown {
  return error.code === 'FST_ERR_CTP_BODY_TOO_LARGE'
    ? new ServiceError('payload_too_large', 'The delivery is larger than 25 MiB.', { cause: error })
    : error
}
