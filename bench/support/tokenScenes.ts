/** A long issue and a large pull request, with what an answer about them has to tell. */

import type { ContextRequest } from '../../test/support/app.ts'
import {
  addCheckRun,
  addClosing,
  addComments,
  addEvent,
  addFiles,
  addIssue,
  addMention,
  addPull,
  addRepository,
  addReview,
  addReviewThread,
  addStatus,
  addSubIssue,
  type Body,
  type Pull,
  type World,
} from '../../test/support/github/index.ts'
import { changedFile, createRandom, hunksIn, paragraphs, programs } from '../eval/haystack.ts'

export interface TokenScene {
  readonly name: string
  readonly request: ContextRequest
  /** The same without what is as long in every form: the patches. */
  readonly brief?: ContextRequest
  /** Paths of GitHub's REST API that tell the same. */
  readonly paths: readonly string[]
  /** What GitHub's REST API tells at further paths, which the simulator does not have. */
  readonly more: readonly Body[]
  /** What must stand in `content`, by what it is. */
  readonly facts: Readonly<Record<string, readonly string[]>>
}

const PLACE = { owner: 'bench', repo: 'tokens' }
const REPOSITORY = 'bench/tokens'
const ROOT = '/repos/bench/tokens'
const COMMENTS = 250
const FILES = 100
const COMMITS = 40
const PEOPLE = ['ann', 'bob', 'cleo', 'dev', 'eve']

export function tokenScenes(world: World): TokenScene[] {
  addRepository(world, { owner: PLACE.owner, name: PLACE.repo, default_branch: 'main' })
  const say = createSayings()
  return [longIssue(world, say), largePull(world, say)]
}

/** Single sentences out of real documents, as long as comments mostly are. */
function createSayings() {
  const sentences = paragraphs()
    .map((text) => /^[A-Z][^\n|#`]{30,180}?[.!?](?=\s|$)/.exec(text)?.[0])
    .filter((text): text is string => text !== undefined)
  let next = 0
  return () => sentences[next++ % sentences.length] as string
}

type Say = ReturnType<typeof createSayings>
const person = (at: number) => PEOPLE[at % PEOPLE.length] as string

function longIssue(world: World, say: Say): TokenScene {
  const body = `${say()}\n\n${say()} ${say()}`
  const issue = addIssue(world, REPOSITORY, { title: 'A long story', body, user: 'ann' })
  const comments = Array.from({ length: COMMENTS }, say)
  addComments(world, issue, COMMENTS, (at) => ({ body: comments[at] ?? '', user: person(at) }))
  const labels = ['bug', 'regression', 'needs triage']
  for (const name of labels) addEvent(world, issue, { event: 'labeled', label: { name } })
  addEvent(world, issue, { event: 'closed', state_reason: 'completed' })
  addEvent(world, issue, { event: 'reopened' })
  const others = Array.from({ length: 12 }, (_, at) =>
    addIssue(world, REPOSITORY, { title: `Other story ${at}` }),
  )
  const parent = addIssue(world, REPOSITORY, { title: 'The epic' })
  addSubIssue(world, parent, issue)
  for (const child of others.slice(0, 6)) addSubIssue(world, issue, child)
  for (const other of others.slice(6)) addMention(world, other, issue)
  const fix = addPull(world, REPOSITORY, { title: 'Mend the story' }).issue
  addClosing(world, fix, issue)
  const path = `${ROOT}/issues/${issue.body.number}`
  const named = ({ body }: { body: Body }) => `#${body.number}`
  return {
    name: 'long issue',
    request: {
      context_type: 'github_issue',
      params: {
        ...PLACE,
        issue_number: issue.body.number,
        max_comments: COMMENTS,
        include: ['timeline', 'linked', 'sub_issues'],
      },
    },
    paths: [path, ...pages(`${path}/comments`, 3), ...pages(`${path}/timeline`, 3)],
    more: [parent, ...others.slice(0, 6)].map((one) => one.body),
    facts: {
      text: [issue.body.title, ...body.split('\n\n')],
      comments,
      'cross-references': others.slice(6).map(named),
      'closing pull requests': [named(fix), 'Mend the story'],
      'parent and sub-issues': [parent, ...others.slice(0, 6)].map(named),
      'label and state history': [...labels.map((name) => `labeled ${name}`), 'closed', 'reopened'],
    },
  }
}

const pages = (path: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${path}?per_page=100&page=${at + 1}`)

function largePull(world: World, say: Say): TokenScene {
  const random = createRandom(1)
  const files = programs()
    .slice(0, FILES)
    .map((source) =>
      changedFile(
        source.path,
        hunksIn(source, 1 + random(2), random).map((hunk) => hunk.slice(0, 8)),
      ),
    )
  const body = `${say()}\n\n${say()}`
  const commits = addCommits(world, say)
  const pull = addPull(world, REPOSITORY, {
    title: 'A large change',
    head: 'topic',
    body,
    files,
    user: 'ann',
    own: { mergeable: true, mergeable_state: 'blocked' },
  })
  const { number } = pull.issue.body
  const said = { ...addTalk(world, pull, say), ...addChecks(world, pull, say) }
  const path = `${ROOT}/pulls/${number}`
  const commit = `${ROOT}/commits/${pull.head.sha}`
  const parts = ['reviews', 'comments', 'commits', 'checks']
  const request = (include: readonly string[]) => ({
    context_type: 'github_pull_request',
    params: { ...PLACE, pull_number: number, include },
  })
  return {
    name: 'large pull request',
    request: request(['patches', ...parts]),
    brief: request(['files', ...parts]),
    paths: [
      path,
      ...['files', 'reviews', 'comments', 'commits'].map((part) => `${path}/${part}?per_page=100`),
      `${ROOT}/issues/${number}/comments?per_page=100`,
      `${commit}/check-runs?per_page=100`,
      `${commit}/status?per_page=100`,
    ],
    more: [],
    facts: {
      description: ['A large change', ...body.split('\n\n')],
      state: ['State: open'],
      mergeability: ['Mergeable: yes (blocked)'],
      files: files.map(({ filename, status }) => `### ${filename} (${status} +`),
      commits,
      'patches by hunk': files.flatMap(({ patch = '' }) => patch.split(/\n(?=@@)/)),
      ...said,
    },
  }
}

/** What the commits of the branch say of themselves. */
function addCommits(world: World, say: Say): string[] {
  addFiles(world, REPOSITORY, { 'README.md': 'Before.\n' }, { branch: 'main' })
  return Array.from({ length: COMMITS }, (_, at) => {
    const message = say()
    const files = { 'README.md': `Step ${at}.\n` }
    const options = { branch: 'topic', from: 'main', message, author: person(at) }
    return [addFiles(world, REPOSITORY, files, options).sha.slice(0, 7), message]
  }).flat()
}

function addTalk(world: World, pull: Pull, say: Say) {
  const reviews = Array.from({ length: 30 }, say)
  for (const [at, body] of reviews.entries()) {
    const state = ['COMMENTED', 'CHANGES_REQUESTED', 'APPROVED'][at % 3] as string
    addReview(world, pull, { body, state, user: person(at) })
  }
  const threads = Array.from({ length: 60 }, (_, at) => ({
    isResolved: at % 2 === 1,
    path: pull.files?.[at]?.filename ?? '',
    diffHunk: pull.files?.[at]?.patch?.split(/\n(?=@@)/)[0] ?? '',
    body: say(),
    answer: say(),
  }))
  for (const [at, { isResolved, path, diffHunk, body, answer }] of threads.entries()) {
    const comments = [
      { body, user: person(at) },
      { body: answer, user: 'ann' },
    ]
    addReviewThread(world, pull.issue, { isResolved, path, diffHunk, line: 8, comments })
  }
  const comments = Array.from({ length: 30 }, say)
  addComments(world, pull.issue, comments.length, (at) => ({
    body: comments[at] ?? '',
    user: person(at),
  }))
  const open = threads.filter(({ isResolved }) => !isResolved)
  return {
    reviews,
    'unresolved review threads': open.flatMap(({ body, answer }) => [body, answer]),
    'the hunk of each': open.map(({ diffHunk }) => diffHunk.split('\n').at(-1) ?? ''),
    comments,
  }
}

function addChecks(world: World, pull: Pull, say: Say) {
  const failing = Array.from({ length: 3 }, (_, at) => ({ name: `test (${at})`, summary: say() }))
  const passing = Array.from({ length: 90 }, (_, at) => `build (${at})`)
  for (const name of passing) addCheckRun(world, REPOSITORY, { head_sha: pull.head.sha, name })
  for (const { name, summary } of failing) {
    const output = { title: 'It fails', summary }
    const run = { head_sha: pull.head.sha, name, conclusion: 'failure', output }
    addCheckRun(world, REPOSITORY, run)
  }
  addStatus(world, REPOSITORY, { sha: pull.head.sha, context: 'deploy/preview' })
  return {
    'failing checks': failing.flatMap(({ name, summary }) => [`failure: ${name}`, summary]),
    'other checks': [...passing, 'deploy/preview'],
  }
}
