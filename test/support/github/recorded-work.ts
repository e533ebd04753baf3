/** What GitHub documents about pull requests, commits, checks and workflow runs, in the documented repository. */
import { addJob, addRun } from './actions.ts'
import { setCommitFiles } from './commits.ts'
import { documented } from './recordings.ts'
import type { Body, Issue, Repository, ReviewCommentBody, ReviewThread, World } from './types.ts'
import type {
  CheckRunBody,
  FileBody,
  JobBody,
  Pull,
  ReviewBody,
  RunBody,
  StatusBody,
} from './work-types.ts'

const BASE = '/repos/{owner}/{repo}'
const PULL = `${BASE}/pulls/{pull_number}`
/** The commit of nearly all examples. */
const SHA = '6dcb09b5b57875f334f61aebed695e2e4193db5e'
const TOPIC = 'new-topic'
/** A run that failed, of our own making: GitHub's example has only just been queued. */
const FAILED_RUN = 30_433_643

export function addDocumentedWork(world: World, repository: Repository, issue: Issue): void {
  addDocumentedCommit(world, repository)
  repository.work.pulls.set(issue.body.number, documentedPull(repository, issue))
  addDocumentedChecks(repository)
  addDocumentedRuns(world, repository)
}

function addDocumentedCommit(world: World, { git, work, body }: Repository): void {
  const commit = documented('GET', `${BASE}/commits/{ref}`) as Body & {
    files: FileBody[]
    stats: unknown
    commit: { author: Person; committer: Person; message: string }
  }
  const tip = git.branches.get(String(body.default_branch)) ?? ''
  const { author, committer, message } = commit.commit
  const tree = git.commits.get(tip)?.tree ?? ''
  git.commits.set(SHA, {
    kind: 'commit',
    sha: SHA,
    tree,
    parents: [tip],
    author,
    committer,
    message,
  })
  git.branches.set(TOPIC, SHA)
  const { files, stats: _, ...listed } = commit
  // The example is its own parent, which no commit can be.
  work.documented.set(SHA, Object.freeze({ ...listed, parents: [{ sha: tip }] }))
  setCommitFiles(world, body.full_name, SHA, files)
}

interface Person {
  readonly name: string
  readonly email: string
  readonly date: string
}

/** The counts in the example are of a larger pull request than the examples of its parts. */
function documentedPull(repository: Repository, issue: Issue): Pull {
  const example = documented('GET', PULL) as Body
  const files = documented('GET', `${PULL}/files`) as FileBody[]
  const own = (list: string) =>
    JSON.parse(
      JSON.stringify(documented('GET', `${PULL}/${list}`)).replaceAll(
        /\/(pulls?)\/\d+(?=["#])/g,
        `/$1/${issue.body.number}`,
      ),
    )
  const reviews = own('reviews') as ReviewBody[]
  const comments = own('comments') as ReviewCommentBody[]
  issue.threads = comments.map(threadOf)
  const commits = documented('GET', `${PULL}/commits`) as Body[]
  return {
    issue,
    own: {
      ...example,
      comments: issue.comments.length,
      review_comments: comments.length,
      commits: commits.length,
      changed_files: files.length,
      additions: files[0]?.additions,
      deletions: files[0]?.deletions,
    },
    base: { ref: 'master', sha: SHA },
    head: { ref: TOPIC, sha: SHA, login: 'octocat', repository },
    files,
    commits,
    reviews,
  }
}

/** The example answers a comment that no example shows. */
function threadOf({ in_reply_to_id: _, ...comment }: ReviewCommentBody): ReviewThread {
  const body = Object.freeze(comment) as ReviewCommentBody
  return {
    id: body.id,
    path: body.path,
    line: Number(body.line),
    startLine: 1,
    side: 'RIGHT',
    isResolved: false,
    isOutdated: false,
    resolvedBy: null,
    comments: [{ body }],
  }
}

function addDocumentedChecks({ work }: Repository): void {
  const path = `${BASE}/commits/{ref}`
  const { check_runs } = documented('GET', `${path}/check-runs`) as { check_runs: CheckRunBody[] }
  const annotations = documented('GET', `${BASE}/check-runs/{check_run_id}/annotations`) as Body[]
  work.checkRuns.push(
    ...check_runs.map((body) => ({
      body: Object.freeze({ ...body, head_sha: SHA }) as CheckRunBody,
      annotations,
    })),
  )
  const { statuses } = documented('GET', `${path}/status`) as { statuses: StatusBody[] }
  work.statuses.set(SHA, statuses)
}

function addDocumentedRuns(world: World, repository: Repository): void {
  const path = `${BASE}/actions/runs/{run_id}`
  const queued = documented('GET', path) as RunBody
  const { jobs } = documented('GET', `${path}/jobs`) as { jobs: JobBody[] }
  repository.work.runs.set(queued.id, {
    body: Object.freeze(queued),
    jobs: jobs.map((body) => ({ body: Object.freeze({ ...body, run_id: queued.id }) })),
  })
  const run = addRun(world, repository, {
    id: FAILED_RUN,
    name: 'Test',
    display_title: 'Fix all the bugs',
    event: 'pull_request',
    head_sha: SHA,
    head_branch: TOPIC,
    conclusion: 'failure',
    created_at: '2011-04-14T16:01:00Z',
    updated_at: '2011-04-14T16:02:00Z',
  })
  const at = '2011-04-14T16:02:00Z'
  addJob(world, repository, run, {
    id: 399_444_497,
    name: 'test (ruby 3.4)',
    conclusion: 'failure',
    started_at: '2011-04-14T16:01:00Z',
    completed_at: at,
    steps: FAILING_STEPS,
    annotations: [
      {
        path: 'file.rb',
        start_line: 3,
        end_line: 3,
        annotation_level: 'failure',
        title: null,
        message: 'Expected "Hello World!", got "Hello !"',
        raw_details: null,
      },
    ],
  })
  addJob(world, repository, run, { id: 399_444_498, name: 'lint', completed_at: at })
}

const FAILING_STEPS = [
  { name: 'Set up job', log: ['Current runner version: 2.330.0', 'Complete job name: test'] },
  {
    name: 'Run actions/checkout@v6',
    log: [
      '##[group]Run actions/checkout@v6',
      'with:',
      '  repository: octocat/Hello-World',
      '##[endgroup]',
    ],
  },
  {
    name: 'Run ruby test.rb',
    conclusion: 'failure',
    seconds: 20,
    log: [
      '##[group]Run ruby test.rb',
      '\u001b[36;1mruby test.rb\u001b[0m',
      'shell: /usr/bin/bash -e {0}',
      '##[endgroup]',
      'Run options: --seed 4242',
      'F',
      '  1) Failure:',
      'HelloWorldTest#test_greets_the_world [test.rb:9]:',
      'Expected: "Hello World!"',
      '  Actual: "Hello !"',
      '1 runs, 1 assertions, 1 failures, 0 errors, 0 skips',
      '##[error]Process completed with exit code 1.',
    ],
  },
  {
    name: 'Post Run actions/checkout@v6',
    log: ['Post job cleanup.', 'Cleaning up orphan processes'],
  },
]
