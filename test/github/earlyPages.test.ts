import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { testedClient } from '../support/gitHubClient.ts'

it('asks for the rest of a list when the first page tells of it, before the page has come', async () => {
  const asked: number[] = []
  let held: ServerResponse | undefined
  const server = createServer((request, response) => {
    const page = Number(/[?&]page=(\d)/.exec(request.url ?? '')?.[1])
    asked.push(page)
    const last =
      page < 3 ? { link: '<https://h/x?page=3>; rel="last", <https://h/x?page=2>; rel="next"' } : {}
    response.writeHead(200, { 'content-type': 'application/json', ...last })
    if (page === 1) {
      held = response
      response.flushHeaders()
    } else response.end(JSON.stringify([page]))
    // The first page waits for the others: who waits for it before it asks waits for ever.
    if (asked.length === 3) held?.end('[1]')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await using github = testedClient({ url: `http://127.0.0.1:${port}` })
  const { items } = await github.list<number>('/x', { limit: 300 })
  expect(items).toEqual([1, 2, 3])
  expect(asked.toSorted()).toEqual([1, 2, 3])
  server.close()
})
