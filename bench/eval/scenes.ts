/** Where needles are looked for: one large thing on a simulated GitHub each, with all needles of its kind in it. */
import {
  addComments,
  addFiles,
  addIssue,
  addPull,
  addRepository,
  type Issue,
  type World,
} from '../../test/support/github/index.ts'
import {
  changedFile,
  createRandom,
  documents,
  hunksIn,
  paragraphs,
  programs,
  type Random,
  remark,
} from './haystack.ts'
import { CODE, FACTS, type Needle, PATHS } from './needles.ts'

export interface Scene {
  /** What one of is looked for, among how many. */
  readonly name: string
  readonly needles: readonly Needle[]
  readonly request: { readonly context_type: string; readonly params: Record<string, unknown> }
}

const COMMENTS = 250
const FILES = 130
const HUNKS = 400
const PARAGRAPHS = 400
const PROGRAM_FILES = 8
const PLACE = { owner: 'eval', repo: 'hay' }
const REPOSITORY = 'eval/hay'
const PEOPLE = ['ann', 'bob', 'cleo', 'dev', 'eve', 'finn', 'gus', 'hana']
const ASSOCIATIONS = ['NONE', 'NONE', 'NONE', 'CONTRIBUTOR', 'MEMBER']

/** Adds one scene of each kind to a world. */
export function addScenes(world: World, seed: number): Scene[] {
  const random = createRandom(seed)
  addRepository(world, { owner: PLACE.owner, name: PLACE.repo, default_branch: 'main' })
  addFiles(world, REPOSITORY, { 'docs/manual.md': manual(random), 'lib/all.js': program(random) })
  return [
    issue(world, random),
    hunks(world, random),
    files(world, random),
    pull(world, random),
    file('line of a program', 'lib/all.js', CODE),
    file('line of a document', 'docs/manual.md', FACTS),
  ]
}

/** Distinct places among `among`, in order. */
function placesFor(needles: readonly Needle[], among: number, random: Random): Map<number, Needle> {
  const places = new Map<number, Needle>()
  for (const needle of needles) {
    let place = random(among)
    while (places.has(place)) place = (place + 1) % among
    places.set(place, needle)
  }
  return places
}

function issue(world: World, random: Random): Scene {
  const added = addIssue(world, REPOSITORY, {
    title: 'Several things broke since the last release',
    body: remark(random, paragraphs()),
    user: 'ann',
  })
  addRemarks(world, added, random)
  return {
    name: `comment of ${COMMENTS}`,
    needles: FACTS,
    request: {
      context_type: 'github_issue',
      params: { ...PLACE, issue_number: added.body.number, max_comments: COMMENTS },
    },
  }
}

/** Comments, with facts hidden in some. */
function addRemarks(world: World, issue: Issue, random: Random): void {
  const hay = paragraphs()
  const places = placesFor(FACTS, COMMENTS, random)
  addComments(world, issue, COMMENTS, (at) => {
    const needle = places.get(at)
    const said = remark(random, hay)
    return {
      body: needle ? hidden(needle, said, random) : said,
      user: PEOPLE[random(PEOPLE.length)] ?? null,
      author_association: ASSOCIATIONS[random(ASSOCIATIONS.length)],
    }
  })
}

/** Alone, before, after or within what else is said. */
function hidden({ text }: Needle, said: string, random: Random): string {
  const parts = said.split('\n\n')
  return random(3) === 0 ? text : parts.toSpliced(random(parts.length + 1), 0, text).join('\n\n')
}

function hunks(world: World, random: Random): Scene {
  const places = placesFor(CODE, HUNKS, random)
  let number = 0
  const changed = programs()
    .slice(0, FILES)
    .map((source, at) => {
      const count = Math.floor(((at + 1) * HUNKS) / FILES) - Math.floor((at * HUNKS) / FILES)
      const lines = hunksIn(source, count, random).map((hunk) => {
        const needle = places.get(number++)
        return needle ? hunk.toSpliced(3, 0, ...added(needle)) : hunk
      })
      return changedFile(source.path, lines)
    })
  return {
    name: `hunk of ${HUNKS}`,
    needles: CODE,
    request: pullRequest(world, changed, 'Refactor everything'),
  }
}

const added = ({ text }: Needle) => text.split('\n').map((line) => `+${line}`)

function files(world: World, random: Random): Scene {
  const places = placesFor(PATHS, FILES, random)
  const changed = programs()
    .slice(0, FILES)
    .map((source, at) => {
      const lines = hunksIn(source, 1 + random(3), random)
      return changedFile(places.get(at)?.text ?? source.path, lines)
    })
  return {
    name: `file of ${FILES}`,
    needles: PATHS,
    request: pullRequest(world, changed, 'Many changes at once'),
  }
}

/** Comments beside everything else that a pull request has. */
function pull(world: World, random: Random): Scene {
  const changed = programs()
    .slice(0, FILES)
    .map((source) => changedFile(source.path, hunksIn(source, 1 + random(2), random)))
  const options = { title: 'A change of many', body: 'See the commits.', files: changed }
  const added = addPull(world, REPOSITORY, options)
  addRemarks(world, added.issue, random)
  const include = ['comments', 'patches', 'reviews']
  const params = { ...PLACE, pull_number: added.issue.body.number, include, max_entries: COMMENTS }
  return {
    name: `comment of ${COMMENTS} on a pull request`,
    needles: FACTS,
    request: { context_type: 'github_pull_request', params },
  }
}

function pullRequest(world: World, changed: ReturnType<typeof changedFile>[], title: string) {
  const pull = addPull(world, REPOSITORY, { title, body: 'See the commits.', files: changed })
  const params = { ...PLACE, pull_number: pull.issue.body.number, limit: changed.length }
  return { context_type: 'github_pull_request_files', params }
}

function manual(random: Random): string {
  const places = placesFor(FACTS, PARAGRAPHS, random)
  const start = random(40)
  return documents()
    .flatMap(({ text }) => text.split(/\n{2,}/))
    .slice(start, start + PARAGRAPHS)
    .flatMap((text, at) => [text, ...(places.has(at) ? [places.get(at)?.text] : [])])
    .join('\n\n')
}

function program(random: Random): string {
  const lines = programs()
    .slice(0, PROGRAM_FILES)
    .flatMap(({ text }) => text.split('\n'))
  const places = placesFor(CODE, lines.length, random)
  return lines.flatMap((line, at) => [line, ...(places.get(at)?.text.split('\n') ?? [])]).join('\n')
}

function file(name: string, path: string, needles: readonly Needle[]): Scene {
  return { name, needles, request: { context_type: 'github_file', params: { ...PLACE, path } } }
}
