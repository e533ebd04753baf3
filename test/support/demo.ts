/**
 * The service on real input with no network and no token: `npm run demo` starts it against the
 * simulator, which replays recorded answers of GitHub's, and prints four requests to paste.
 */
import { join } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { readConfig } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { startService } from '../../src/service.ts'
import { OCTOCAT_TOKEN, recordedWorld, startGitHub } from './github/index.ts'

const world = recordedWorld()
const github = await startGitHub({ world })
const config = readConfig({
  LOG_LEVEL: 'warn',
  // The simulator's own: some types need a credential.
  GITHUB_TOKEN: OCTOCAT_TOKEN,
  DOCS_DIR: join(import.meta.dirname, '../../docs'),
  ...process.env,
  GITHUB_API_URL: github.url,
  GITHUB_DOWNLOAD_HOSTS: new URL(github.blobs.url).host,
})
const service = await startService(config, createLogger(config.LOG_LEVEL))

process.stdout.write(`
The service runs on recorded answers of GitHub's. Docs: ${service.url}/docs

A repository:
  curl -s ${service.url}/mcp/context -H 'content-type: application/json' -d '{"context_type":"github_repo","params":{"owner":"octocat","repo":"Hello-World"}}'

An issue with its comments, as text for a prompt:
  curl -s '${service.url}/mcp/context?url=https://github.com/octocat/Hello-World/issues/1347' -H 'accept: text/markdown'

Open issues in at most 200 tokens, with the headers:
  curl -si '${service.url}/mcp/context/github_issues?owner=octokit-fixture-org&repo=${paginated()}&max_tokens=200'

How to add a context type, from the documents of this repository:
  curl -s '${service.url}/mcp/context/docs_search?q=add+a+context+type&limit=3' -H 'accept: text/markdown'

A session: its first answer has the id for the second line.
  curl -s -X POST ${service.url}/mcp/session/create
  curl -s ${service.url}/mcp/session/SESSION_ID/invoke -H 'content-type: application/json' -d '{"user_input":"Hello?"}'

Ctrl-C ends it.
`)

closeWithGrace({ delay: 10_000 }, async () => {
  await service.close()
  await github.close()
})

/** The recorded repository that has a list of issues. */
function paginated(): string {
  const names = [...world.repositories.values()].map(({ body }) => body.name)
  return names.find((name) => name.includes('paginate-issues')) ?? 'hello-world'
}
