import { ask } from './ask.ts'
import type { Core } from './cores.ts'
import { type Server, type ServerOptions, start } from './servers.ts'
import { type Reply, rawRequest } from './wire.ts'

/** The account that the benches' GitHub knows. */
export const TOKEN = 'ghp_bench0000000000000000000000000000000'
const API_KEY = 'bench-key-0123456789abcdef'
export const AUTHORIZED = { authorization: `Bearer ${API_KEY}` }

export interface SimulatorOptions {
  readonly issues?: number
  readonly comments?: number
  /** Milliseconds. */
  readonly latency?: number
  readonly core?: Core
}

/** A GitHub of its own. */
export function startSimulator(options: SimulatorOptions = {}): Promise<Server> {
  const { issues = 1, comments = 0, latency = 0, core = 'load' } = options
  const env = { ISSUES: String(issues), COMMENTS: String(comments), LATENCY: String(latency) }
  return start({ file: 'bench/servers/github.ts', env, core })
}

/** One that takes half of the time for each answer, and knows any number of issues. */
export function startQuickGitHub(
  options: Pick<SimulatorOptions, 'comments' | 'latency'> = {},
): Promise<Server> {
  const { comments = 0, latency = 0 } = options
  const env = { COMMENTS: String(comments), LATENCY: String(latency) }
  return start({ file: 'bench/servers/quickGithub.ts', env, core: 'load' })
}

/** What a default installation sets, with a limit that the load does not reach. */
export function environment(github: Pick<Server, 'url'>): Record<string, string> {
  return {
    GITHUB_API_URL: github.url,
    GITHUB_TOKEN: TOKEN,
    API_KEYS: `bench:${API_KEY}`,
    RATE_LIMIT_MAX: '1000000000',
  }
}

/**
 * For loads that would be limited by GitHub's points a minute: the service does not keep calls back.
 * The benches' GitHub has no limit of its own.
 */
export const UNGOVERNED = { GITHUB_BUDGET: 'off' }

/** `node src/main.ts` as an operator runs it. */
export function startService(
  github: Pick<Server, 'url'>,
  options: Pick<ServerOptions, 'env' | 'core'> = {},
): Promise<Server> {
  const { env = {}, ...others } = options
  return start({ file: 'src/main.ts', env: { ...environment(github), ...env }, ...others })
}

/** The body of a request for one issue of the benches' repository. */
function issueBody(number: number, more: object = {}): string {
  const params = { owner: 'bench', repo: 'bench', issue_number: number, ...more }
  return JSON.stringify({ context_type: 'github_issue', params })
}

export function issueRequest(number: number, more: object = {}): Buffer {
  return rawRequest('POST', '/mcp/context', AUTHORIZED, issueBody(number, more))
}

/** One issue; throws unless it is there. */
export async function askIssue(url: string, number: number, more: object = {}): Promise<Reply> {
  const reply = await ask(url, 'POST', '/mcp/context', AUTHORIZED, issueBody(number, more))
  if (reply.status !== 200) throw new Error(`${reply.status} ${reply.body}`)
  return reply
}

/** A request that GitHub got. */
export interface Call {
  readonly path: string
  readonly status: number
  /** What it took from the primary limit. */
  readonly cost: number
}

/** What GitHub was asked since the last reset. */
export async function callsOf(github: Server): Promise<readonly Call[]> {
  const answer = await fetch(`${github.url}/_sim/requests`)
  const { requests } = (await answer.json()) as { requests: Call[] }
  return requests.filter(({ path }) => path.startsWith('/repos'))
}

export async function forgetCalls(github: Server): Promise<void> {
  await fetch(`${github.url}/_sim/reset`, { method: 'POST' })
}

/** A request to GitHub itself, as the service would send it. */
export function direct(path: string): Buffer {
  return rawRequest('GET', path, {
    accept: 'application/vnd.github+json',
    'accept-encoding': 'gzip',
    authorization: `Bearer ${TOKEN}`,
    'user-agent': 'bench',
  })
}
