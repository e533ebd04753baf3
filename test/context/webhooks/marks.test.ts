import examples from '@octokit/webhooks-examples' with { type: 'json' }
import { describe, expect, it } from 'vitest'
import { KNOWN_EVENTS, type Marks, marksOf } from '../../../src/context/webhooks/marks.ts'
import type { Payload } from '../../../src/context/webhooks/payload.ts'

interface Definition {
  readonly name: string
  readonly examples: readonly Payload[]
}
const events = examples as unknown as readonly Definition[]

function payloads(name: string, action?: string): readonly Payload[] {
  const found = events.find((event) => event.name === name)?.examples ?? []
  return action === undefined ? found : found.filter((payload) => payload.action === action)
}

/** What the first example of an event means. */
function marks(name: string, action?: string): Marks {
  const [payload] = payloads(name, action)
  if (!payload) throw new Error(`no example of ${name} ${action}`)
  return marksOf(name, payload) as Marks
}

const changed = (...tags: string[]) => ({ changed: tags, revoked: [] })
const revoked = (...tags: string[]) => ({ changed: [], revoked: tags })

const HELLO = 'codertocat/hello-world'
const SHA = 'ec26c3e57ca3a959ca5aad62de7213c562f8c821'
const pull = (name: string, number: number) => [
  `pull:${name}#${number}`,
  `issue:${name}#${number}`,
  `pulls:${name}`,
  `issues:${name}`,
]

describe('what an event makes stale', () => {
  it.each<[string, string | undefined, Marks]>([
    ['push', undefined, changed(`refs:${HELLO}`, `repo:${HELLO}`)],
    ['create', undefined, changed(`refs:${HELLO}`)],
    ['delete', undefined, changed(`refs:${HELLO}`)],
    ['issues', 'edited', changed(`issue:${HELLO}#1`, `issues:${HELLO}`)],
    ['issues', 'reopened', changed(`issue:${HELLO}#1`, `issues:${HELLO}`, `repo:${HELLO}`)],
    [
      'issues',
      'deleted',
      { changed: [`issues:${HELLO}`, `repo:${HELLO}`], revoked: [`issue:${HELLO}#1`] },
    ],
    ['issue_comment', 'created', changed(`issue:${HELLO}#1`, `issues:${HELLO}`)],
    ['issue_comment', 'deleted', changed(`issue:${HELLO}#1`, `issues:${HELLO}`)],
    ['pull_request', 'closed', changed(...pull(HELLO, 2), `repo:${HELLO}`)],
    ['pull_request', 'labeled', changed(...pull(HELLO, 2))],
    ['pull_request_review', 'submitted', changed(...pull(HELLO, 2))],
    ['pull_request_review_comment', 'created', changed(...pull(HELLO, 2))],
    ['pull_request_review_thread', 'resolved', changed(...pull('octo-org/octo-repo', 118))],
    [
      'check_run',
      'created',
      changed(`checks:${HELLO}@${SHA}`, `checks:${HELLO}@changes`, `checks:${HELLO}#2`),
    ],
    [
      'check_suite',
      'completed',
      changed(`checks:${HELLO}@${SHA}`, `checks:${HELLO}@changes`, `checks:${HELLO}#2`),
    ],
    [
      'status',
      undefined,
      changed(
        `checks:${HELLO}@6113728f27ae82c7b1a177c8d03f9e96e0adf246`,
        `checks:${HELLO}@master`,
        `checks:${HELLO}@changes`,
        `checks:${HELLO}@gh-pages`,
      ),
    ],
    ['release', 'published', changed(`releases:${HELLO}`)],
    [
      'discussion',
      'created',
      changed('discussion:octo-org/octo-repo#90', 'discussions:octo-org/octo-repo'),
    ],
    ['discussion_comment', 'deleted', changed(`discussion:${HELLO}#4`, `discussions:${HELLO}`)],
    ['repository', 'edited', changed('repo:octocoders/hello-world', 'refs:octocoders/hello-world')],
    ['public', undefined, changed(`access:${HELLO}`)],
  ])('%s %s', (name, action, expected) => {
    const found = marks(name, action)
    expect(found.revoked.toSorted()).toEqual(expected.revoked.toSorted())
    expect(found.changed.toSorted()).toEqual(expected.changed.toSorted())
  })

  it.each(['workflow_run', 'workflow_job'])('%s: runs, and checks of its commit', (name) => {
    for (const payload of payloads(name)) {
      const run = payload.workflow_run ?? payload.workflow_job
      const tags = marksOf(name, payload)?.changed ?? []
      expect(tags.some((tag) => tag.endsWith(`@${run?.head_sha}`))).toBe(true)
      expect(tags.every((tag) => /^(?:checks|runs):/.test(tag))).toBe(true)
      expect(tags.filter((tag) => tag.startsWith('runs:'))).toHaveLength(1)
    }
  })

  it('issue_comment on a pull request: that pull request too', () => {
    const [payload] = payloads('issue_comment')
    const issue = { number: 7, pull_request: { url: 'https://…' } }
    expect(new Set(marksOf('issue_comment', { ...payload, issue })?.changed)).toEqual(
      new Set(pull(HELLO, 7)),
    )
  })

  it('sub_issues: both issues, each in its repository', () => {
    const payload: Payload = {
      action: 'sub_issue_added',
      parent_issue: { number: 1 },
      parent_issue_repo: { full_name: 'Acme/Plans' },
      sub_issue: { number: 2 },
      repository: { full_name: 'Acme/Api' },
    }
    expect(marksOf('sub_issues', payload)).toEqual(
      changed('issue:acme/plans#1', 'issues:acme/plans', 'issue:acme/api#2', 'issues:acme/api'),
    )
  })

  it('checks of a fork: not the pull requests of other repositories', () => {
    const [payload] = payloads('check_run')
    const repository = { full_name: 'someone/hello-world' }
    expect(marksOf('check_run', { ...payload, repository })?.changed).not.toContain(
      'checks:someone/hello-world#2',
    )
  })
})

describe('what an event takes away', () => {
  it('repository: everything of it, under its new and its old name', () => {
    expect(marks('repository', 'privatized')).toEqual(revoked(`access:${HELLO}`))
    const [renamed] = payloads('repository', 'renamed')
    expect(marksOf('repository', { ...renamed, repository: { full_name: 'Acme/New' } })).toEqual(
      revoked('access:acme/new', 'access:acme/hello-world'),
    )
    expect(marks('repository', 'transferred').revoked).toEqual([
      'access:octocoders/hello-world',
      expect.stringMatching(/^access:\w+\/hello-world$/),
    ])
    const repository = { full_name: 'Acme/Api' }
    expect(marksOf('repository', { action: 'deleted', repository })).toEqual(
      revoked('access:acme/api'),
    )
    expect(marks('repository', 'publicized').revoked).toEqual([])
    expect(marks('repository', 'publicized').changed).toEqual([
      expect.stringMatching(/^access:.+\/.+$/),
    ])
  })

  it.each([
    ['installation', 'access:octocat'],
    ['installation_repositories', 'access:codertocat'],
    ['member', 'access:codertocat'],
    ['membership', 'access:octocoders'],
    ['team', 'access:octocoders'],
    ['team_add', 'access:octocoders'],
    ['organization', 'access:octocoders'],
  ])('%s: everything of the account', (name, tag) => {
    expect(marks(name)).toEqual(revoked(tag))
  })

  it('renamed accounts: under both names', () => {
    const payload: Payload = {
      action: 'renamed',
      account: { login: 'New' },
      changes: { login: { from: 'Old' } },
    }
    expect(marksOf('installation_target', payload)).toEqual(revoked('access:new', 'access:old'))
  })
})

describe('every example of every event', () => {
  it('is understood or ignored, and never half understood', () => {
    expect(events.flatMap((event) => event.examples)).toHaveLength(329)
    for (const { name, examples } of events) {
      for (const payload of examples) {
        const found = marksOf(name, payload)
        expect([name, found !== undefined]).toEqual([name, KNOWN_EVENTS.has(name)])
        const tags = found ? [...found.changed, ...found.revoked] : []
        expect([name, tags.length > 0]).toEqual([name, KNOWN_EVENTS.has(name)])
        expect(tags.join()).not.toMatch(/undefined|null|NaN|object/)
        expect(new Set(tags).size).toBe(tags.length)
        for (const tag of tags) {
          const [, owned] = /^\w+:([^@#]+)/.exec(tag) ?? []
          expect(owned).toBe(owned?.toLowerCase())
        }
      }
    }
  })

  it('does no harm under the name of another event', () => {
    const sample = events.flatMap(({ examples: [first] }) => first ?? [])
    for (const name of [...KNOWN_EVENTS, 'constructor', '__proto__', 'toString']) {
      for (const payload of sample) expect(() => marksOf(name, payload)).not.toThrow()
    }
  })

  it.each<Payload>([
    {},
    { repository: null },
    { repository: { full_name: 5 } },
    { repository: { full_name: 'a/b/c' } },
    { repository: { full_name: 'a/b' }, issue: null as never, pull_request: [] as never },
    { repository: { full_name: 'a/b' }, check_run: 'x' as never, branches: [null, 1, {}] },
    { repository: { full_name: 'a/b' }, check_suite: { pull_requests: [null, 1, 'x', {}] } },
    { organization: null as never, installation: 4 as never, changes: 'x' as never },
  ])('%j throws nowhere', (payload) => {
    for (const name of KNOWN_EVENTS) expect(() => marksOf(name, payload)).not.toThrow()
  })
})

it('a push to a branch changes what goes to it', () => {
  const payload = { repository: { full_name: 'Octo/Talk' }, ref: 'refs/heads/Fix/one' }
  expect(marksOf('push', payload)?.changed).toContain('branch:octo/talk@Fix/one')
})
