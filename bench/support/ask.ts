import { openWire, type Reply, rawRequest } from './wire.ts'

/** One request over a connection of its own. */
export function ask(
  url: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): Promise<Reply> {
  return new Promise((resolve) => {
    const wire = openWire(url)
    wire.send(rawRequest(method, path, headers, body), (reply) => {
      wire.close()
      resolve(reply)
    })
  })
}
