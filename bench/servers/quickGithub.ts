/**
 * GitHub for benches in which nobody may wait for GitHub itself: as many issues as anybody asks for, all
 * alike but for their numbers, each answer after `LATENCY` milliseconds. They are the simulator's, asked
 * for once; it takes twice as long for each.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { startGitHub } from '../../test/support/github/index.ts'
import { TOKEN } from '../support/service.ts'
import { addBenchIssue, benchWorld } from '../support/world.ts'

const { PORT, COMMENTS = '0', LATENCY = '0' } = process.env
const ISSUES = '/repos/bench/bench/issues'
/** Stands for the number in what is said of each issue. */
const NUMBER = 777_777_777
/** Headers that are another each time, or the connection's. */
const OWN = /^(etag|date|connection|keep-alive|content-length|content-encoding|transfer-encoding)$/

interface Template {
  readonly headers: readonly string[]
  readonly text: string
}

async function templates(): Promise<Readonly<Record<'issue' | 'comments', Template>>> {
  const world = benchWorld()
  addBenchIssue(world, NUMBER, Number(COMMENTS))
  await using github = await startGitHub({ world })
  async function template(path: string): Promise<Template> {
    const headers = { authorization: `Bearer ${TOKEN}`, accept: 'application/vnd.github+json' }
    const answer = await fetch(`${github.url}${ISSUES}/${NUMBER}${path}`, { headers })
    const said = [...answer.headers].filter(([name]) => !OWN.test(name))
    return { headers: said.flat(), text: await answer.text() }
  }
  return { issue: await template(''), comments: await template('/comments?per_page=30&page=1') }
}

const { comments, issue } = await templates()

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [, number = '', list] = /\/issues\/(\d+)(\/comments)?/.exec(request.url ?? '') ?? []
  if (number === '') {
    response.writeHead(404).end()
    return
  }
  const { headers, text } = list === undefined ? issue : comments
  const { accept, authorization } = request.headers
  const body = text.replaceAll(String(NUMBER), number)
  const hash = createHash('sha256').update(`${accept}:${authorization}:`)
  const etag = `W/"${hash.update(body).digest('hex')}"`
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, [...headers, 'etag', etag]).end()
    return
  }
  const bytes = gzipSync(body, { level: 1 })
  const own = ['etag', etag, 'content-encoding', 'gzip', 'content-length', String(bytes.length)]
  response.writeHead(200, [...headers, ...own]).end(bytes)
}

createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  setTimeout(answer, Number(LATENCY), request, response)
}).listen(Number(PORT), '127.0.0.1')
