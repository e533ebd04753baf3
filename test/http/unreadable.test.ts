import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type App, type Problem, startApp } from '../support/app.ts'
import { type GitHub, startGitHub } from '../support/github/index.ts'

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  app = await startApp({ github })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

/** What comes back until the connection ends. */
async function sendBytes(text: string): Promise<{ head: string; body: string }> {
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1')
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    received += chunk
  })
  socket.on('error', () => {})
  socket.end(text)
  await once(socket, 'close')
  const [head = '', body = ''] = received.split('\r\n\r\n')
  return { head, body }
}

it.each([
  ['no HTTP at all', 'GARBAGE\r\n\r\n', 400, /not valid HTTP/],
  [
    'a length twice',
    'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    400,
    /HTTP/,
  ],
  ['headers without end', `GET / HTTP/1.1\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`, 431, /larger than/],
])('%s is told to be a problem', async (_name, text, status, detail) => {
  const { body, head } = await sendBytes(text)
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(head).toMatch(/^content-type: application\/problem\+json/im)
  expect(head).toMatch(/^x-content-type-options: nosniff/im)
  const problem: Problem = JSON.parse(body)
  expect(problem).toMatchObject({ status, code: 'invalid_request' })
  expect(problem.detail).toMatch(detail)
  expect(head.toLowerCase()).toContain(`x-request-id: ${problem.request_id}`)
})

it('an address that cannot be decoded is told to be a problem', async () => {
  const answer = await app.get('/mcp/session/%zz/status')
  expect([answer.status, answer.headers['content-type']]).toEqual([
    400,
    expect.stringMatching(/^application\/problem\+json/),
  ])
  const problem = answer.json<Problem>()
  expect(problem).toMatchObject({ code: 'invalid_request', status: 400 })
  expect(problem.detail).toContain('%25')
  expect(answer.headers['x-request-id']).toBe(problem.request_id)
})

it('a name longer than any is told to be a problem', async () => {
  const answer = await app.get(`/mcp/session/${'x'.repeat(300)}/status`)
  expect([answer.status, answer.json<Problem>().code]).toEqual([404, 'not_found'])
})
