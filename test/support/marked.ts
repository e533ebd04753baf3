/**
 * Something large of every context type, each part of it with a mark of its own: what an answer
 * has, and what is left out, is then told by its marks alone, whatever the type.
 */
import {
  addAccount,
  addCheckRun,
  addComments,
  addDiscussion,
  addDiscussionComments,
  addEvent,
  addFiles,
  addIssue,
  addJob,
  addMention,
  addPull,
  addRelease,
  addReplies,
  addRepository,
  addReview,
  addReviewThread,
  addRun,
  addSubIssue,
  fileBody,
  type World,
} from './github/index.ts'

export interface MarkedScene {
  readonly params: Readonly<Record<string, unknown>>
  /** Of all that GitHub has of it. */
  readonly marks: readonly string[]
  /** Those that come with others: where one of them is left out, all of them are brought. */
  readonly together: ReadonlySet<string>
}

/** @param isOfSeveral that come together */
type Mark = (isOfSeveral?: boolean) => string

const FILLER = 'It goes on about the login of guests. '
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at)
const minute = (at: number) =>
  new Date(Date.UTC(2026, 0, 1, 0, at)).toISOString().replace('.000', '')

/** Marks that are in a text, in order. */
export const marksIn = (text: string): string[] => text.match(/\bmark\d+z\b/g) ?? []

/** @returns a scene for each context type, by its name */
export function addMarked(world: World): Readonly<Record<string, MarkedScene>> {
  let count = 0
  /** A scene, with the marks that are made while `fill` runs. */
  const scene = (fill: (mark: Mark) => Readonly<Record<string, unknown>>): MarkedScene => {
    const marks: string[] = []
    const together = new Set<string>()
    const mark = (isOfSeveral = false) => {
      const made = `mark${count++}z`
      marks.push(made)
      if (isOfSeveral) together.add(made)
      return made
    }
    return { params: fill(mark), marks, together }
  }
  const said = (mark: string, at: number) => `${mark} ${FILLER.repeat((at * 7) % 9)}`
  const place = (repo: string) => {
    addRepository(world, { owner: 'octo', name: repo, default_branch: 'main' })
    return { owner: 'octo', repo }
  }
  const patch = (hunks: readonly string[]) =>
    hunks.map((text, at) => `@@ -${1 + at * 50},1 +${1 + at * 50},2 @@\n old\n+${text}`).join('\n')
  const changed = (mark: Mark, count: number) =>
    upTo(count).map((at) =>
      fileBody({
        filename: `${['src', 'test', 'docs'][at % 3]}/f${at}.ts`,
        patch: patch([said(mark(), at), mark()]),
      }),
    )
  /** A branch with commits, each with a mark in its message. */
  const branch = (repo: string, name: string, count: number, mark: Mark) =>
    upTo(count).map((at) =>
      addFiles(
        world,
        `octo/${repo}`,
        { 'a.txt': `${at}\n` },
        { branch: name, date: minute(at), message: said(mark(), at) },
      ),
    )

  return {
    github_repo: scene((mark) => {
      const at = place('home')
      const files = upTo(130).map((i) => [`${i % 2 ? `in${i}/` : ''}${mark()}.txt`, ''] as const)
      addFiles(world, 'octo/home', Object.fromEntries(files), { author: 'ann' })
      addFiles(
        world,
        'octo/home',
        { 'README.md': `${FILLER.repeat(9)}\n\n${mark()}` },
        { author: 'ann' },
      )
      for (const i of upTo(40)) {
        const author = mark()
        world.profiles.set(author, { login: author, id: 900 + i, type: 'User' })
        addFiles(world, 'octo/home', { a: `${i}` }, { author, message: `By ${i}`, date: minute(i) })
      }
      return { ...at, include: ['readme', 'tree', 'contributors'] }
    }),
    github_file: scene((mark) => {
      const at = place('file')
      addFiles(world, 'octo/file', {
        a: upTo(300)
          .map((i) => said(mark(), i))
          .join('\n'),
      })
      return { ...at, path: 'a' }
    }),
    github_files: scene((mark) => {
      const at = place('files')
      const paths = ['a', 'b', 'c']
      for (const path of paths) {
        addFiles(world, 'octo/files', {
          [path]: upTo(60)
            .map(() => mark())
            .join('\n'),
        })
      }
      return { ...at, paths }
    }),
    github_tree: scene((mark) => {
      const at = place('tree')
      const files = upTo(200).map((i) => [`${'d/'.repeat(i % 6)}${mark()}`, ''] as const)
      addFiles(world, 'octo/tree', Object.fromEntries(files))
      return { ...at, limit: 90 }
    }),
    github_blame: scene((mark) => {
      const at = place('blame')
      for (const i of upTo(30)) {
        const a = upTo(i + 1).map((line) => `line ${line}`)
        const options = { date: minute(i), message: `Line ${i} ${mark()}` }
        addFiles(world, 'octo/blame', { a: `${a.join('\n')}\n` }, options)
      }
      return { ...at, path: 'a', limit: 12 }
    }),
    github_releases: scene((mark) => {
      const at = place('releases')
      for (const i of upTo(40)) {
        addRelease(world, 'octo/releases', {
          tag_name: `v${i}`,
          body: said(mark(), i),
          created_at: minute(i),
          assets: i === 39 ? upTo(25).map(() => `${mark()}.zip`) : [],
        })
      }
      return at
    }),
    github_release: scene((mark) => {
      const at = place('release')
      const assets = upTo(120).map(() => `${mark()}.zip`)
      addRelease(world, 'octo/release', { tag_name: 'v1', body: said(mark(), 8), assets })
      return { ...at, tag: 'v1' }
    }),
    github_code_search: scene((mark) => {
      const at = place('search')
      const files = upTo(60).map((i) => [`f${i}.ts`, `// guests ${mark()}\n`])
      addFiles(world, 'octo/search', Object.fromEntries(files), { branch: 'main' })
      return { q: `guests repo:${at.owner}/${at.repo}`, limit: 25 }
    }),
    github_commits: scene((mark) => {
      const at = place('commits')
      branch('commits', 'main', 60, mark)
      return { ...at, ref: 'main', limit: 25 }
    }),
    github_commit: scene((mark) => {
      const at = place('commit')
      const files = upTo(30).map((i) => [`f${i}.ts`, `${said(mark(), i)}\n`])
      const { sha } = addFiles(world, 'octo/commit', Object.fromEntries(files), { message: mark() })
      return { ...at, sha, detail: 'patch', limit: 12 }
    }),
    github_compare: scene((mark) => {
      const at = place('compare')
      addFiles(world, 'octo/compare', { 'a.txt': '' }, { branch: 'main', message: 'Begin' })
      for (const i of upTo(40)) {
        const options = {
          branch: 'work',
          date: minute(i),
          message: said(mark(), i),
          ...(i === 0 && { from: 'main' }),
        }
        addFiles(world, 'octo/compare', { [`f${i}.ts`]: `${mark()}\n` }, options)
      }
      return { ...at, base: 'main', head: 'work', detail: 'patch', limit: 15, commits_limit: 15 }
    }),
    github_issue: scene((mark) => {
      const at = place('issue')
      const epic = addIssue(world, 'octo/issue', { title: 'Epic', body: said(mark(), 5) })
      addComments(world, epic, 40, (i) => ({ body: said(mark(), i) }))
      for (const i of upTo(130)) {
        if (i % 2) addEvent(world, epic, { event: 'labeled', label: { name: mark() } })
        addSubIssue(world, epic, addIssue(world, 'octo/issue', { title: mark() }))
      }
      const include = ['timeline', 'sub_issues']
      return { ...at, issue_number: epic.body.number, include, max_comments: 15 }
    }),
    github_issue_comments: scene((mark) => {
      const at = place('comments')
      const issue = addIssue(world, 'octo/comments', {})
      addComments(world, issue, 60, (i) => ({ body: said(mark(), i) }))
      return { ...at, issue_number: issue.body.number, limit: 25 }
    }),
    github_comment: scene((mark) => {
      const at = place('comment')
      const issue = addIssue(world, 'octo/comment', { body: said(mark(), 8) })
      const [comment] = addComments(world, issue, 1, () => ({ body: said(mark(), 8) }))
      return { ...at, comment_id: comment?.body.id }
    }),
    github_issues: scene((mark) => {
      const at = place('issues')
      for (const i of upTo(60)) addIssue(world, 'octo/issues', { body: said(mark(), i) })
      return { ...at, limit: 25 }
    }),
    github_issue_search: scene((mark) => {
      place('found')
      for (const i of upTo(60)) {
        addIssue(world, 'octo/found', { title: 'Login', body: said(mark(), i) })
      }
      return { q: 'login repo:octo/found is:issue', limit: 25 }
    }),
    github_pull_request: scene((mark) => {
      const at = place('pull')
      addFiles(world, 'octo/pull', { 'a.txt': '' }, { branch: 'main', message: 'Begin' })
      branch('pull', 'topic', 20, mark)
      const files = changed(mark, 40)
      const pull = addPull(world, 'octo/pull', { head: 'topic', body: said(mark(), 3), files })
      for (const i of upTo(110)) {
        addReview(world, pull, { user: 'bob', state: 'COMMENTED', body: said(mark(), i) })
        addMention(world, addIssue(world, 'octo/pull', { title: mark() }), pull.issue)
      }
      for (const i of upTo(6)) {
        const comments = upTo(i === 2 || i === 3 ? 250 : 2).map(() => ({ body: mark(true) }))
        addReviewThread(world, pull.issue, { isResolved: i % 2 === 1, comments })
      }
      addComments(world, pull.issue, 40, (i) => ({ body: said(mark(), i) }))
      for (const _ of upTo(20)) {
        addCheckRun(world, 'octo/pull', {
          head_sha: pull.head.sha,
          name: mark(),
          conclusion: 'success',
        })
      }
      return { ...at, pull_number: pull.issue.body.number }
    }),
    github_pull_requests: scene((mark) => {
      const at = place('pulls')
      for (const i of upTo(60)) addPull(world, 'octo/pulls', { body: said(mark(), i), files: [] })
      return { ...at, limit: 25 }
    }),
    github_pull_request_files: scene((mark) => {
      const at = place('changes')
      const { issue } = addPull(world, 'octo/changes', { files: changed(mark, 60) })
      return { ...at, pull_number: issue.body.number, limit: 25 }
    }),
    github_workflow_run: scene((mark) => {
      const at = place('runs')
      const { sha } = addFiles(world, 'octo/runs', { a: '' }, { branch: 'main' })
      const options = { head_sha: sha, head_branch: 'main', conclusion: 'failure', name: 'Test' }
      const run = addRun(world, 'octo/runs', options)
      const log = [...upTo(400).map((i) => said(mark(), i)), `##[error]${mark()}`]
      const steps = [{ name: 'Run it', conclusion: 'failure', seconds: 60, log }]
      addJob(world, 'octo/runs', run, { name: 'test', conclusion: 'failure', steps })
      return { ...at, run_id: run.body.id }
    }),
    github_discussion: scene((mark) => {
      const at = place('talk')
      const talk = addDiscussion(world, 'octo/talk', { number: 7, body: said(mark(), 5) })
      const comments = addDiscussionComments(world, talk, 40, (i) => ({ body: said(mark(), i) }))
      for (const comment of comments.slice(0, 3)) {
        addReplies(world, comment, 30, (i) => ({ body: said(mark(), i) }))
      }
      return { ...at, discussion_number: 7, max_comments: 15, max_replies: 5 }
    }),
    github_discussion_comments: scene((mark) => {
      const at = place('said')
      const talk = addDiscussion(world, 'octo/said', { number: 8 })
      addDiscussionComments(world, talk, 60, (i) => ({ body: said(mark(), i) }))
      return { ...at, discussion_number: 8, limit: 25 }
    }),
    github_discussions: scene((mark) => {
      const at = place('talks')
      for (const i of upTo(60)) {
        addDiscussion(world, 'octo/talks', {
          number: 100 + i,
          body: said(mark(), i),
          created_at: minute(i),
        })
      }
      return { ...at, limit: 25 }
    }),
    github_user: scene((mark) => {
      addAccount(world, { login: 'mona', token: 'mona-token' })
      for (const i of upTo(60)) {
        addRepository(world, { owner: 'mona', name: `r${i}`, description: said(mark(), i) })
      }
      return { login: 'mona', limit: 25 }
    }),
  }
}
