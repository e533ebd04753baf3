/** Answers before they are sent, and GitHub's refusals word for word. */
import type { Ask, Reply } from './types.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const DOCS = 'https://docs.github.com/rest'

export function text(
  status: number,
  body: string | Buffer,
  caching: Reply['caching'] = status === 200 ? 'private' : 'none',
): Reply {
  return {
    status,
    body: typeof body === 'string' ? Buffer.from(body) : body,
    contentType: JSON_TYPE,
    mediaType: 'github.v3; format=json',
    headers: [],
    caching,
    etags: new Map(),
  }
}

export function withHeaders(reply: Reply, ...headers: string[]): Reply {
  reply.headers.push(...headers)
  return reply
}

/** From a body's `updated_at` to the form of the header. */
export function withLastModified(reply: Reply, updatedAt: unknown): Reply {
  if (typeof updatedAt === 'string') reply.lastModified = new Date(updatedAt).toUTCString()
  return reply
}

export function refusal(status: number, message: string, more: object = {}): Reply {
  const body = { message, ...more, documentation_url: DOCS, status: String(status) }
  return text(status, JSON.stringify(body))
}

export const notFound = () => refusal(404, 'Not Found')
export const badCredentials = () => refusal(401, 'Bad credentials')
export const gone = () => refusal(410, 'This issue was deleted')

export const invalid = (resource: string, field: string, code = 'invalid', more: object = {}) =>
  refusal(422, 'Validation Failed', { errors: [{ ...more, resource, field, code }] })

export function authenticationRequired(): Reply {
  const body = {
    message: 'This endpoint requires you to be authenticated.',
    documentation_url:
      'https://docs.github.com/graphql/guides/forming-calls-with-graphql#authenticating-with-graphql',
    status: '401',
  }
  return text(401, JSON.stringify(body))
}

export function blocked(createdAt: unknown): Reply {
  const html_url = 'https://github.com/github/dmca/blob/master/2022/07/2022-07-19-example.md'
  return refusal(451, 'Repository access blocked', {
    block: { reason: 'dmca', created_at: createdAt, html_url },
  })
}

/** 301 for reading; 307 for writing, so that method and body are kept. */
export function moved(ask: Pick<Ask, 'method' | 'origin'>, path: string): Reply {
  const url = ask.origin + path
  const body = {
    message: 'Moved Permanently',
    url,
    documentation_url: `${DOCS}/guides/best-practices-for-using-the-rest-api#follow-redirects`,
  }
  const reading = ask.method === 'GET' || ask.method === 'HEAD'
  return withHeaders(text(reading ? 301 : 307, JSON.stringify(body)), 'Location', url)
}

export function notAccessible(by: 'personal access token' | 'integration', permission: string) {
  const reply = refusal(403, `Resource not accessible by ${by}`)
  return withHeaders(reply, 'X-Accepted-GitHub-Permissions', permission)
}

export function ssoRequired(owner: string): Reply {
  const url = `https://github.com/orgs/${owner}/sso?authorization_request=A4T2D7`
  const message =
    'Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.'
  return withHeaders(refusal(403, message), 'X-GitHub-SSO', `required; url=${url}`)
}

export function secondaryLimited(status: 403 | 429, retryAfterSeconds?: number): Reply {
  const body = {
    documentation_url: `${DOCS}/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits`,
    message:
      'You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID 0683:13C7:1074B74:2631A8B:62D63574.',
  }
  const reply = text(status, JSON.stringify(body))
  return retryAfterSeconds === undefined
    ? reply
    : withHeaders(reply, 'Retry-After', String(retryAfterSeconds))
}

/** How GitHub worded secondary limits for years, and GitHub Enterprise Server still may. */
export function abuseDetected(retryAfterSeconds?: number): Reply {
  const reply = refusal(
    403,
    'You have triggered an abuse detection mechanism. Please wait a few minutes before you try again.',
  )
  return retryAfterSeconds === undefined
    ? reply
    : withHeaders(reply, 'Retry-After', String(retryAfterSeconds))
}

export function userAgentRequired(): Reply {
  const reply = text(
    403,
    '\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). Check https://developer.github.com for other possible causes.\r\n',
  )
  reply.contentType = 'text/html; charset=utf-8'
  return reply
}

export function unknownVersion(version: string): Reply {
  return refusal(400, `"${version}" is not a valid value for the X-GitHub-Api-Version header.`)
}

export function expiredVersion(version: string): Reply {
  return refusal(410, `API version ${version} is no longer supported.`)
}
