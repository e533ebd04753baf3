import { request } from 'undici'
import type { GitHub } from './server.ts'

/** A caller for the simulator's own tests. `path` may be a whole url; `token: null` is anonymous. */
export async function call(
  github: GitHub,
  path: string,
  headers: Record<string, string>,
  token: string | null,
) {
  const {
    statusCode,
    headers: answered,
    body,
  } = await request(path.startsWith('http') ? path : github.url + path, {
    headers: {
      'user-agent': 'test',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  })
  const text = await body.text()
  return { status: statusCode, headers: answered, text, json: () => JSON.parse(text) }
}
