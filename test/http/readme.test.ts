import { execFile } from 'node:child_process'
import { mkdtempDisposable, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { startApp } from '../support/app.ts'
import { OCTOCAT_TOKEN, recordedWorld, startGitHub } from '../support/github/index.ts'

it('the README’s conversation can be had with curl, on what the demo runs on', async () => {
  const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8')
  const blocks = [...readme.matchAll(/```sh\n(.*?)```/gs)].map(([, text]) => text ?? '')
  const script = blocks.find((text) => text.includes('/mcp/session/create')) ?? ''
  await using folder = await mkdtempDisposable(join(tmpdir(), 'data-'))
  await using github = await startGitHub({ world: recordedWorld() })
  await using app = await startApp({
    github,
    env: { DATA_DIR: folder.path, GITHUB_TOKEN: OCTOCAT_TOKEN },
  })
  const here = script.replaceAll('localhost:3000', new URL(app.url).host)
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', here])
  const [answer, ...rest] = stdout.split(/(?<=\})(?=event: token)/)
  expect(JSON.parse(answer ?? '')).toMatchObject({
    model_response: expect.stringContaining('export const limit = 10'),
    context_updates: [],
  })
  const [, status = ''] = /\n\n(\{"session_id".*\})$/s.exec(rest.join('')) ?? []
  expect(JSON.parse(status)).toMatchObject({
    context: {
      items: expect.arrayContaining([
        expect.objectContaining({ type: 'code' }),
        expect.objectContaining({ type: 'github_issue', issue_id: 1347 }),
        expect.objectContaining({ pr_id: 1347, files_changed: expect.anything() }),
      ]),
    },
    history: [{ user_input: 'What is it about?' }, { user_input: 'And who reported it?' }],
  })
  expect(rest.join('')).toContain('event: done')
  const methods = app.logs.map(({ method, status }) => `${method} ${status}`)
  expect(methods).toEqual(expect.arrayContaining(['POST 201', 'POST 204', 'DELETE 204']))
  expect(methods.filter((line) => !/ 20[014]$/.test(line))).toEqual([])
})

it('the README’s first answer is what is answered', async () => {
  const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8')
  const [, request = ''] = /-d '(\{"context_type":"github_issue".*?\})'\n/.exec(readme) ?? []
  const [, answer = ''] = /```json\n(\{\n {2}"context_id".*?)```/s.exec(readme) ?? []
  await using github = await startGitHub({ world: recordedWorld() })
  await using app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
  expect((await app.post(request)).json()).toEqual(JSON.parse(answer))
})
