import { createHmac, randomUUID } from 'node:crypto'
import type { Answer, App } from './app.ts'

/** GitHub's signature of a body (docs.github.com/webhooks, "Validating webhook deliveries"). */
export function signature(secret: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

/** Delivers as GitHub does; `headers` replace those of a good delivery. A payload that is text is sent as it is. */
export function deliver(
  app: Pick<App, 'send'>,
  event: string,
  payload: object | string,
  secret: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const good = {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/044aadd',
    'x-github-event': event,
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': signature(secret, body),
  }
  return app.send('POST', '/webhooks/github', { ...good, ...headers }, body)
}
