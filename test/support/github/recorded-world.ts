import { addAccount } from './accounts.ts'
import { addDiscussion, addDiscussionComments, updateDiscussion } from './discussions.ts'
import { commitFiles } from './files.ts'
import { addDocumentedWork } from './recorded-work.ts'
import { delivered, documented, type RecordedRequest, recordedScenarios } from './recordings.ts'
import type {
  CommentBody,
  DiscussionBody,
  DiscussionCommentBody,
  IssueBody,
  LabelBody,
  ReleaseBody,
  Repository,
  RepositoryBody,
  UserBody,
  World,
} from './types.ts'
import {
  emptyWorld,
  registerIssue,
  registerProfile,
  registerRepository,
  repositoryOf,
} from './world.ts'

/** The account whose token Octokit's recordings carry, with the token as they carry it. */
const RECORDED_LOGIN = 'octokit-fixture-user-a'
export const RECORDED_TOKEN = '0000000000000000000000000000000000000001'
/** The user of GitHub's documentation. */
export const OCTOCAT_TOKEN = 'ghp_16C7e42F292c6912E7710c838347Ae178B4a'

let sources: RecordedRequest[][] | undefined

/** What Octokit recorded and what GitHub documents, as one consistent world. */
export function recordedWorld(): World {
  const world = emptyWorld()
  sources ??= recordedScenarios()
  const requests = sources.flat().filter((request) => request.scope.includes('//api.'))
  for (const request of requests) replayRepository(world, request)
  for (const request of requests) replay(world, request)
  addRecordedFiles(world)
  addDocumented(world)
  addAccount(world, { login: RECORDED_LOGIN, token: RECORDED_TOKEN })
  addAccount(world, { login: 'octocat', token: OCTOCAT_TOKEN })
  return world
}

/** Its own scenario's last answer about a repository is the one that counts. */
function replayRepository(world: World, { method, status, response }: RecordedRequest): void {
  if (!isRepository(response)) return
  if ((method === 'post' && status === 201) || (method === 'get' && status === 200)) {
    registerRepository(world, response)
  } else if (method === 'patch' && status === 200) {
    world.names.set(response.full_name.toLowerCase(), response.id)
  }
}

function replay(world: World, request: RecordedRequest): void {
  const { method, path, status, response } = request
  const place = repositoryPath(world, path)
  if (!place) {
    if (method === 'get') replayOutside(world, request)
    return
  }
  const { repository, rest } = place
  if (method === 'post' && status === 201 && rest === 'issues') {
    const { body } = registerIssue(repository, response as IssueBody)
    registerProfile(world, body.user)
  } else if (method === 'post' && status === 200 && /^issues\/\d+\/labels$/.test(rest)) {
    repository.labels.push(...(response as LabelBody[]))
  } else if (method === 'get' && rest === 'labels') {
    repository.labels = [...(response as LabelBody[])]
  } else if (method === 'get' && status === 200 && rest.startsWith('releases/tags/')) {
    repository.releases.push(Object.freeze(response as ReleaseBody))
  } else if (method === 'get' && rest !== '' && !rest.startsWith('issues')) {
    repository.recordings.set(rest, recording(request))
  }
}

function replayOutside(world: World, request: RecordedRequest): void {
  const { path, status, response } = request
  if (/^\/orgs\/[^/]+$/.test(path) && status === 200) {
    const organization = response as UserBody
    world.organizations.set(organization.login.toLowerCase(), Object.freeze(organization))
  } else if (!/^\/(search|repos|repositories)\b/.test(path)) {
    world.recordings.set(path, recording(request))
  }
}

function recording({ status, response, rawHeaders }: RecordedRequest) {
  const header = (name: string) => {
    const at = rawHeaders.findIndex((entry) => entry.toLowerCase() === name)
    return at < 0 ? undefined : rawHeaders[at + 1]
  }
  return {
    status,
    body: typeof response === 'string' ? response : JSON.stringify(response),
    contentType: header('content-type') ?? 'application/json; charset=utf-8',
    location: header('location'),
    lastModified: header('last-modified'),
  }
}

function repositoryPath(world: World, path: string) {
  const named = /^\/repos\/([^/]+\/[^/?]+)\/?(.*)$/.exec(path)
  const numbered = /^\/repositories\/(\d+)\/?(.*)$/.exec(path)
  const id = named ? world.names.get((named[1] ?? '').toLowerCase()) : Number(numbered?.[1])
  const repository = world.repositories.get(id ?? -1)
  const rest = ((named ?? numbered)?.[2] ?? '').replace(/\/$/, '')
  return repository && { repository, rest }
}

function isRepository(value: unknown): value is RepositoryBody {
  return typeof value === 'object' && value !== null && 'full_name' in value && 'owner' in value
}

/** The file that `contents/` was recorded of: by its size and sha there is only one text that it can be. */
function addRecordedFiles(world: World): void {
  commitFiles(
    repositoryOf(world, 'octokit-fixture-org/hello-world'),
    { 'README.md': '# hello-world' },
    { author: RECORDED_LOGIN, date: '2017-09-15T21:43:09Z', message: 'Initial commit' },
  )
}

/** The first commit is the real one's; the rest are the files that GitHub's example of a tree names. */
function addDocumentedFiles(repository: Repository): void {
  commitFiles(
    repository,
    { README: 'Hello World!\n' },
    { date: '2011-01-26T19:06:08Z', message: 'first commit' },
  )
  commitFiles(
    repository,
    {
      'file.rb':
        'class HelloWorld\n  def greet(name = \'World\')\n    puts "Hello #{name}!"\n  end\nend\n',
      exec_file: {
        executable: "#!/usr/bin/env ruby\nrequire_relative 'file'\n\nHelloWorld.new.greet\n",
      },
      'subdir/file.txt': 'Hello from a folder!\n',
    },
    { date: '2011-01-26T19:06:43Z', message: 'Greet from Ruby, and from a folder' },
  )
}

function addDocumented(world: World): void {
  const base = '/repos/{owner}/{repo}'
  const repository = registerRepository(world, documented('GET', base) as RepositoryBody)
  repository.labels = [...(documented('GET', `${base}/labels`) as LabelBody[])]
  const comments = documented('GET', `${base}/issues/{issue_number}/comments`) as CommentBody[]
  const body = documented('GET', `${base}/issues/{issue_number}`) as IssueBody
  const listed = (documented('GET', `${base}/issues`) as IssueBody[])[0]
  const issue = registerIssue(repository, body)
  if (listed) issue.listed = Object.freeze(listed)
  issue.comments = comments.map((comment) => ({ body: Object.freeze(comment) }))
  repository.releases = [...(documented('GET', `${base}/releases`) as ReleaseBody[])]
  repository.languages = documented('GET', `${base}/languages`) as Record<string, number>
  addDocumentedFiles(repository)
  addDocumentedWork(world, repository, issue)
  addDeliveredIssue(world, repository)
  addDelivered(world, repository)
  const organization = documented('GET', '/orgs/{org}') as UserBody
  world.organizations.set(organization.login, Object.freeze(organization))
}

/** The issue of GitHub's webhook examples: what is documented under `issues` is a pull request. */
function addDeliveredIssue(world: World, repository: Repository): void {
  const text = JSON.stringify(delivered('issues', 'issue'))
  const body = JSON.parse(text.replaceAll('Codertocat/Hello-World', repository.body.full_name))
  registerProfile(world, registerIssue(repository, body).body.user)
}

/** The discussion of GitHub's webhook examples, with its one comment. */
function addDelivered(world: World, repository: Repository): void {
  const told = delivered('discussion_comment', 'discussion') as DiscussionBody
  const { author_association, body, created_at, id, number, title, updated_at, user } = told
  const times = { created_at, updated_at }
  const discussion = addDiscussion(world, repository, {
    ...{ author_association, body, id, number, title, user },
    ...times,
  })
  const comment = delivered('discussion_comment', 'comment') as DiscussionCommentBody
  addDiscussionComments(world, discussion, 1, () => comment)
  updateDiscussion(world, discussion, times)
}
