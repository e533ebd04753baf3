import { Type } from '@sinclair/typebox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { providers } from '../../src/context/registry.ts'
import type { Provider } from '../../src/core/provider.ts'
import { IssueNumber, repositoryParams } from '../../src/core/schemas.ts'
import { type App, startApp } from '../support/app.ts'
import {
  addComments,
  addIssue,
  addRepository,
  type GitHub,
  startGitHub,
} from '../support/github/index.ts'
import { ERAS, rpc } from '../support/mcp/client.ts'
import { ask, testDoor } from '../support/mcp/door.ts'

let github: GitHub
let app: App
beforeAll(async () => {
  github = await startGitHub()
  addRepository(github.world, { owner: 'octo', name: 'talk', description: 'Where we talk' })
  const issue = addIssue(github.world, 'octo/talk', { title: 'It breaks', body: 'At night.' })
  addComments(github.world, issue, 200, (i) => ({ body: `Seen ${i} times. `.repeat(40) }))
  app = await startApp({ github })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

interface Message {
  readonly role: string
  readonly content: { readonly type: string; readonly text: string }
}

describe.each(ERAS)('a prompt, by %s,', (revision) => {
  it('holds instructions and the context as it is', async () => {
    const args = { owner: 'octo', repo: 'talk', issue_number: '1' }
    const params = { name: 'triage_issue', arguments: args }
    const { result } = await rpc(app, revision, 'prompts/get', params)
    const messages = result.messages as readonly [Message, Message]
    expect(messages.map(({ role, content }) => [role, content.type])).toEqual([
      ['user', 'text'],
      ['user', 'text'],
    ])
    expect(messages[0].content.text).toMatch(/^Triage the issue below/)
    expect(messages[1].content.text).toContain('It breaks')
    expect(messages[1].content.text).toContain('At night.')
    const { content } = await app.block({
      context_type: 'github_issue',
      params: { ...args, ...everything('github_issue') },
      max_tokens: 8_000,
    })
    expect(messages[1].content.text).toBe(content)
  })

  it('is listed with its arguments', async () => {
    const { result } = await rpc(app, revision, 'prompts/list')
    const triage = result.prompts.find(({ name }: { name: string }) => name === 'triage_issue')
    expect(triage).toMatchObject({
      title: 'Triage an issue',
      description: expect.stringMatching(/\.$/),
      arguments: [
        { name: 'owner', required: true },
        { name: 'repo', required: true },
        { name: 'issue_number', required: true },
      ],
    })
  })

  it('says which argument is missing or wrong, and what GitHub says', async () => {
    const said = async (args: object, name = 'triage_issue') =>
      (await rpc(app, revision, 'prompts/get', { name, arguments: args })).error
    expect(await said({ owner: 'octo', repo: 'talk' })).toMatchObject({
      code: -32602,
      message: '/issue_number: is required. Number of the issue.',
    })
    const wrong = { owner: 'octo', repo: 'talk', issue_number: 'one' }
    expect((await said(wrong))?.message).toMatch(/issue_number/)
    const nowhere = { owner: 'octo', repo: 'talk', issue_number: '999' }
    expect((await said(nowhere))?.message).toMatch(/^GitHub has nothing here/)
    expect((await said({}, 'none'))?.message).toMatch(/^Unknown prompt\. There are .*triage_issue/)
  })
})

it('a repository is explained by all that its type can add', async () => {
  const args = { owner: 'octo', repo: 'talk' }
  const { result } = await rpc(app, '2026-07-28', 'prompts/get', {
    name: 'explain_repository',
    arguments: args,
  })
  const block = await app.block({
    context_type: 'github_repo',
    params: { ...args, ...everything('github_repo') },
    max_tokens: 8_000,
  })
  expect(result.messages[1].content.text).toBe(block.content)
})

describe('the prompts', () => {
  const only = (type: string, params: object): Provider =>
    ({
      ...providers[0],
      type,
      params: Type.Object({ ...repositoryParams, ...params } as never, {
        additionalProperties: false,
      }),
    }) as Provider

  it('are four, each where its type is', async () => {
    const types = ['github_issue', 'github_pull_request', 'github_repo', 'github_workflow_run']
    const all = testDoor({ providers: types.map((type) => only(type, {})) })
    const names = async (door: typeof all) =>
      (await ask(door, 'prompts/list')).result.prompts.map(({ name }: { name: string }) => name)
    expect(await names(all)).toEqual([
      'triage_issue',
      'review_pull_request',
      'explain_repository',
      'fix_failing_run',
    ])
    expect(await names(testDoor({ providers: [only('github_pull_request', {})] }))).toEqual([
      'review_pull_request',
    ])
  })

  it('ask for the type’s own params, of those given, with all that it can add', async () => {
    const seen: unknown[] = []
    const engine = {
      get: ({ params, maxTokens }: { params: object; maxTokens: number }) => {
        seen.push({ params, maxTokens })
        const body = Buffer.from(JSON.stringify({ context: [{ content: 'The run.' }] }))
        return Promise.resolve({ entry: { body }, outcome: 'hit' })
      },
    }
    const include = Type.Optional(
      Type.Array(Type.Union([Type.Literal('logs'), Type.Literal('jobs')])),
    )
    const optional = {
      run_id: Type.Optional(IssueNumber),
      branch: Type.Optional(Type.String()),
      include,
    }
    const door = testDoor({
      engine: engine as never,
      providers: [only('github_workflow_run', optional)],
    })
    const args = { owner: 'octo', repo: 'talk', branch: 'main', run_id: '' }
    const { result } = await ask(door, 'prompts/get', { name: 'fix_failing_run', arguments: args })
    expect(result.messages[1].content.text).toBe('The run.')
    expect(seen).toEqual([
      {
        params: { owner: 'octo', repo: 'talk', branch: 'main', include: ['logs', 'jobs'] },
        maxTokens: 8_000,
      },
    ])
  })
})

/** All that a type lets its caller choose to add. */
function everything(type: string): { include?: string[] } {
  const items = providers.find((one) => one.type === type)?.params.properties.include?.items
  const values = items?.enum ?? items?.anyOf?.map((member: { const: string }) => member.const)
  return values ? { include: values } : {}
}
