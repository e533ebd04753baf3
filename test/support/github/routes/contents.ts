/** What lies at a path of a repository, and its readme. */
import { posix } from 'node:path'
import { commitAt, entryAt, type GitBlob, type GitCommit, type GitEntry } from '../git.ts'
import { notFound, refusal, text } from '../replies.ts'
import type { Ask, Reply, Repository } from '../types.ts'
import { replay } from './recorded.ts'
import { repositoryRoutes } from './repository.ts'

const MEGABYTE = 1024 * 1024
/** GitHub lists no more of a folder. */
const LISTED = 1_000
const README = /^readme(?:\.(?:md|markdown|mdown|rst|adoc|asciidoc|org|txt|rdoc|textile))?$/i
/** Where GitHub looks for a readme, the first that has one counts. */
const README_FOLDERS = ['.github', '', 'docs']

interface Place {
  repository: Repository
  commit: GitCommit
  /** As it was asked for. */
  ref: string
}

const at = (handle: (ask: Ask, place: Place) => Reply) => (ask: Ask, repository: Repository) => {
  const { git, body, recordings } = repository
  const recorded = recordings.get(ask.pathname.split('/').slice(4).join('/') + ask.search)
  if (git.branches.size === 0) {
    return recorded ? replay(ask, recorded) : refusal(404, 'This repository is empty.')
  }
  const ref = ask.query.get('ref') || String(body.default_branch)
  const commit = commitAt(git, ref, String(body.default_branch))
  return commit ? handle(ask, { repository, commit, ref }) : noCommit(ref)
}

const noCommit = (ref: string) => refusal(404, `No commit found for the ref ${ref}`)

function contents(ask: Ask, place: Place): Reply {
  const { repository, commit } = place
  const path = (ask.params.path ?? '').replace(/\/+$/, '')
  const entry = entryAt(repository.git, commit.tree, path)
  if (!entry) return notFound()
  if (entry.mode !== '40000') return file(ask, place, path, entry)
  const entries = listed(place, path, entry.sha)
  if (!ask.accept.includes('object')) return text(200, JSON.stringify(entries))
  const { content: _, encoding: __, ...folder } = bodyOf(place, path, entry)
  return text(200, JSON.stringify({ ...folder, entries }))
}

/** As the listing of a folder words it: a submodule is a file here. */
function listed(place: Place, path: string, sha: string): object[] {
  const inside = place.repository.git.trees.get(sha)?.entries ?? []
  return inside.slice(0, LISTED).map((entry) => {
    const whole = bodyOf(place, path ? `${path}/${entry.name}` : entry.name, entry)
    const { content: _, encoding: __, target: ___, submodule_git_url, ...shown } = whole
    return submodule_git_url === undefined ? shown : { ...shown, type: 'file' }
  })
}

function file(ask: Ask, place: Place, path: string, entry: GitEntry): Reply {
  const { git } = place.repository
  // A link to a file of the same repository is answered with that file under the link's own name.
  const target = entry.mode === '120000' ? linked(place, path, entry) : undefined
  const shown = target ?? entry
  const blob = git.blobs.get(shown.sha)
  if (blob && blob.bytes.length > 100 * MEGABYTE) return tooLarge()
  if (blob && ask.accept.includes('raw')) return raw(ask, blob)
  return text(200, JSON.stringify(bodyOf(place, path, shown)))
}

function linked({ repository, commit }: Place, path: string, { sha }: GitEntry) {
  const target = repository.git.blobs.get(sha)?.bytes.toString() ?? ''
  const leadsTo = posix.join(posix.dirname(path), target)
  if (posix.isAbsolute(target) || leadsTo.startsWith('..')) return undefined
  const found = entryAt(repository.git, commit.tree, leadsTo)
  return found?.mode.startsWith('100') ? found : undefined
}

export function raw(ask: Ask, { bytes }: GitBlob): Reply {
  const reply = text(200, bytes)
  const media = ask.accept.includes('v3.raw') ? 'v3.raw' : 'raw+json'
  reply.contentType = `application/vnd.github.${media}; charset=utf-8`
  reply.mediaType = 'github.v3; param=raw'
  return reply
}

export function tooLarge(): Reply {
  const message =
    'This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API, but you can always clone the repository via Git in order to obtain the blob.'
  const errors = [{ resource: 'Blob', field: 'data', code: 'too_large' }]
  return refusal(403, message, { errors })
}

/** In the order of GitHub's own fields. */
function bodyOf({ repository, commit, ref }: Place, path: string, { mode, sha }: GitEntry) {
  const name = repository.body.full_name
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  const api = `https://api.github.com/repos/${name}`
  const isFolder = mode === '40000'
  const submodule = mode === '160000' ? submoduleAt(repository, commit, path) : undefined
  const self = `${api}/contents/${encoded}?ref=${encodeURIComponent(ref)}`
  const page = submodule
    ? submodule.page && `${submodule.page}/tree/${sha}`
    : `https://github.com/${name}/${isFolder ? 'tree' : 'blob'}/${ref}/${encoded}`
  const git = submodule
    ? submodule.api && `${submodule.api}/git/trees/${sha}`
    : `${api}/git/${isFolder ? 'trees' : 'blobs'}/${sha}`
  const bytes = repository.git.blobs.get(sha)?.bytes ?? Buffer.alloc(0)
  const isFile = mode.startsWith('100')
  const download = `https://raw.githubusercontent.com/${name}/${ref}/${encoded}`
  return {
    name: path.slice(path.lastIndexOf('/') + 1),
    path,
    sha,
    size: bytes.length,
    url: self,
    html_url: page,
    git_url: git,
    download_url: isFolder || submodule ? null : download,
    type: TYPES[mode],
    ...(isFile && inBase64(bytes)),
    ...(mode === '120000' && { target: bytes.toString() }),
    ...(submodule && { submodule_git_url: submodule.url }),
    _links: { self, git, html: page },
  }
}

const TYPES = {
  '40000': 'dir',
  '100644': 'file',
  '100755': 'file',
  '120000': 'symlink',
  '160000': 'submodule',
} as const

/** In lines of 60 characters, each ended; nothing of a file over 1 MB. */
function inBase64(bytes: Buffer): { content: string; encoding: string } {
  if (bytes.length > MEGABYTE) return { content: '', encoding: 'none' }
  const lines = bytes.toString('base64').replaceAll(/.{1,60}/g, '$&\n')
  return { content: lines, encoding: 'base64' }
}

/** By `.gitmodules` (git-scm.com/docs/gitmodules); null where the other repository is not on github.com. */
function submoduleAt({ git }: Repository, commit: GitCommit, path: string) {
  const file = entryAt(git, commit.tree, '.gitmodules')
  const sections = (git.blobs.get(file?.sha ?? '')?.bytes.toString() ?? '').split('[submodule')
  const value = (section: string, key: string) =>
    new RegExp(`^\\s*${key}\\s*=\\s*(.*?)\\s*$`, 'm').exec(section)?.[1]
  const url = sections.map((section) => value(section, 'path') === path && value(section, 'url'))
  const found = url.find((one): one is string => typeof one === 'string') ?? null
  const name = /github\.com[/:]([^/]+\/[^/]+?)(?:\.git)?$/.exec(found ?? '')?.[1]
  return {
    url: found,
    page: name ? `https://github.com/${name}` : null,
    api: name ? `https://api.github.com/repos/${name}` : null,
  }
}

function readme(ask: Ask, place: Place): Reply {
  const { repository, commit } = place
  for (const folder of README_FOLDERS) {
    const tree = entryAt(repository.git, commit.tree, folder)
    const found = repository.git.trees
      .get(tree?.sha ?? '')
      ?.entries.find(({ name, mode }) => mode.startsWith('1') && README.test(name))
    if (found) return file(ask, place, folder ? `${folder}/${found.name}` : found.name, found)
  }
  return notFound()
}

const route = (path: string, handle: (ask: Ask, place: Place) => Reply) =>
  repositoryRoutes({ path, permission: 'contents=read', handle: at(handle) })

export default [
  ...route('contents', contents),
  ...route('contents/{+path}', contents),
  ...route('readme', readme),
]
