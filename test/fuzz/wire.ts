import { once } from 'node:events'
import { request as open } from 'node:http'
import { connect } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import type { FuzzAnswer } from './check.ts'
import { oddText } from './hostile.ts'
import type { Random } from './random.ts'
import type { FuzzRequest } from './requests.ts'
import type { Stage } from './stage.ts'

/** Milliseconds. */
const PATIENCE = 15_000

/** One request over a socket of its own. What Node refuses to send is sent without it. */
export function sendWire({ url }: Stage, request: FuzzRequest): Promise<FuzzAnswer> {
  const { body, headers, method } = request
  // A client cannot send what is not ASCII in an address.
  const path = encodeURI(request.url.toWellFormed()).replaceAll('%25', '%')
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    const { expect: _, ...sendable } = headers
    const sent = open(new URL(url), {
      method,
      path,
      headers: { ...sendable, ...length },
      agent: false,
      timeout: PATIENCE,
    })
    sent.once('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)))
    sent.once('error', reject)
    sent.once('response', (response) => {
      const contentType = response.headers['content-type'] ?? ''
      readText(response).then(
        (text) => resolve({ status: response.statusCode ?? 0, contentType, body: text }),
        reject,
      )
    })
    sent.end(body)
  })
}

const RAW: readonly ((random: Random, key: string) => string | Buffer)[] = [
  () => 'GET / HTTP/9.9\r\n\r\n',
  () => 'GARBAGE\r\n\r\n',
  () => '\r\n\r\n\r\n',
  () => Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
  () => 'GET /health HTTP/1.1\r\n\r\n',
  () => 'GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  () => `GET /health HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`,
  () => `GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  () => 'GET /health HTTP/1.1\r\nHost: a\r\nX\0: 1\r\n\r\n',
  () => 'GET /health HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n',
  () => 'GET http://evil.example/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  () => 'CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n',
  () => 'TRACE /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  () => 'GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  () => 'GET /\x80\xff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  (_random, key) => post(key, 'Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\nG'),
  (_random, key) => post(key, 'Transfer-Encoding: chunked', 'zz\r\nabc\r\n0\r\n\r\n'),
  (_random, key) => post(key, 'Transfer-Encoding: gzip, chunked', '0\r\n\r\n'),
  (_random, key) => post(key, 'Content-Length: -1', ''),
  (_random, key) => post(key, 'Content-Length: 1e9', ''),
  (_random, key) => post(key, 'Content-Length: 99999999999999999999', 'x'),
  (_random, key) => post(key, 'Content-Length: 2\r\nContent-Length: 3', '{}'),
  (_random, key) => post(key, 'Content-Length: 999999999', '{'),
  (_random, key) => post(key, 'Transfer-Encoding: chunked', 'fffffffffffffffff\r\n'),
  (random, key) =>
    post(key, `X-Odd: ${oddText(random).replaceAll(/[\r\n]/g, '')}\r\nContent-Length: 2`, '{}'),
  (random) => Buffer.from(Array.from({ length: 200 }, () => random.int(256))),
]

const post = (key: string, headers: string, body: string) =>
  `POST /mcp/context HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: ${key}\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`

/** Bytes that no client sends. @returns what was sent and what was wrong with what came back, if anything */
export async function sendRaw(
  { authorization, url }: Stage,
  random: Random,
): Promise<{ text: string; what: string | undefined }> {
  const sent = random.pick(RAW)(random, authorization)
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  // The service may reset what it does not understand.
  socket.on('error', () => {})
  socket.setTimeout(PATIENCE, () => socket.destroy())
  // Half-closed, so that a request that is not complete ends too.
  socket.end(sent)
  await once(socket, 'close')
  const text = Buffer.concat(chunks).toString()
  return { text: sent.toString(), what: faultIn(text) }
}

function faultIn(text: string): string | undefined {
  if (text === '') return undefined
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
  if (!(status >= 200 && status < 500)) return `answered ${head.slice(0, 100)}`
  // Node itself refuses what names no host, without a word.
  if (status < 400 || rest.join('') === '0') return undefined
  if (!/content-type: application\/problem\+json/i.test(head))
    return `${status} without a problem: ${text.slice(0, 300)}`
  try {
    const problem = JSON.parse(rest.join(''))
    return problem.status === status && typeof problem.code === 'string'
      ? undefined
      : `not a problem: ${rest.join('').slice(0, 200)}`
  } catch {
    return `no JSON: ${rest.join('').slice(0, 200)}`
  }
}
