import { isUtf8 } from 'node:buffer'
import type { components } from '@octokit/openapi-types'
import type { GitHub } from '../../core/github.ts'

type Schemas = components['schemas']
type Entry =
  | Schemas['content-file']
  | Schemas['content-symlink']
  | Schemas['content-submodule']
  | (Omit<Schemas['content-file'], 'type'> & { type: 'dir' })

/** Where a file is asked for. */
export interface FilePlace {
  readonly owner: string
  readonly repo: string
  readonly path: string
  readonly ref?: string | undefined
}

/** What lies at a path, as far as one can read it. */
export type FileBody =
  | { readonly kind: 'text'; readonly text: string; readonly encoding: Encoding }
  | { readonly kind: 'empty' | 'binary' | 'too_large' }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'submodule'; readonly repository: string; readonly commit: string }
  | { readonly kind: 'lfs_pointer'; readonly oid: string; readonly stored: number }

export type Encoding = 'utf-8' | 'windows-1252'

export interface FileFound {
  /** As GitHub spells it, also after a rename. */
  readonly owner: string
  readonly repo: string
  readonly path: string
  /** The one that GitHub read: the default branch where none was asked for. */
  readonly ref: string
  /** The blob's, or the commit's of a submodule. */
  readonly sha: string
  /** Bytes in the repository. */
  readonly size: number
  readonly url: string
  readonly body: FileBody
}

const CONTENTS = '/repos/{owner}/{repo}/contents/{+path}'
/** Bytes that are read. GitHub itself ends at 100 MB. */
const LARGEST = 10 * 1024 * 1024
/** git looks this far for a zero byte (git-scm.com/docs/gitattributes, "diff"). */
const LOOKED_AT = 8_000
/** github.com/git-lfs/git-lfs/blob/main/docs/spec.md: a pointer is smaller than this. */
const LARGEST_POINTER = 1_024
const POINTER =
  /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\/v\d+\n(?:.*\n)*?oid (\S+)\nsize (\d+)\n/

/**
 * One file, or undefined for a folder. A second round only where it has more than 1 MB.
 * @throws ServiceError `not_found`
 */
export async function readFile(github: GitHub, place: FilePlace): Promise<FileFound | undefined> {
  const request = { params: paramsOf(place), query: { ref: place.ref } }
  const entry = await github.get<Entry>(CONTENTS, 'type', { ...request, media: 'object' })
  if (entry.type === 'dir') return undefined
  const [owner, repo] = repositoryOf(entry, place)
  return {
    owner,
    repo,
    // As it was asked for: what GitHub repeats of it is cleaned, and may lead nowhere.
    path: trimPath(place.path),
    ref: place.ref ?? refOf(entry.url) ?? 'HEAD',
    sha: entry.sha,
    size: entry.size,
    url: entry.html_url ?? entry.url,
    body: await bodyOf(entry, () => github.bytes(CONTENTS, request)),
  }
}

/** Without the slashes at its ends, which lead nowhere else. */
const trimPath = (path: string) => path.replace(/^\/+|\/+$/g, '')

function paramsOf({ owner, repo, path }: FilePlace) {
  return { owner, repo, path: trimPath(path) }
}

async function bodyOf(entry: Exclude<Entry, { type: 'dir' }>, read: () => Promise<Buffer>) {
  switch (entry.type) {
    case 'symlink':
      return { kind: 'symlink', target: entry.target } as const
    case 'submodule': {
      const { sha, submodule_git_url } = entry
      return { kind: 'submodule', repository: submodule_git_url ?? '', commit: sha } as const
    }
    default:
      if (entry.size > LARGEST) return { kind: 'too_large' } as const
      return readBody(
        entry.encoding === 'base64' ? Buffer.from(entry.content, 'base64') : await read(),
      )
  }
}

function readBody(bytes: Buffer): FileBody {
  if (bytes.length === 0) return { kind: 'empty' }
  const pointer = bytes.length < LARGEST_POINTER ? POINTER.exec(bytes.toString()) : null
  if (pointer) return { kind: 'lfs_pointer', oid: pointer[1] ?? '', stored: Number(pointer[2]) }
  return readText(bytes) ?? { kind: 'binary' }
}

/** What windows-1252 leaves undefined, and nobody sees. */
const C1_CONTROLS = /[\u0080-\u009f]/g

/** Bytes as text, or undefined for what is none. */
export function readText(bytes: Buffer) {
  const encoding = encodingOf(bytes)
  if (!encoding) return undefined
  const text = new TextDecoder(encoding).decode(bytes)
  const shown = encoding === 'utf-8' ? text : text.replaceAll(C1_CONTROLS, '\uFFFD')
  return { kind: 'text', text: shown, encoding } as const
}

/** UTF-8 where it can be; undefined for what git takes for no text, UTF-16 included. */
function encodingOf(bytes: Buffer): Encoding | undefined {
  if (bytes.subarray(0, LOOKED_AT).includes(0)) return undefined
  return isUtf8(bytes) ? 'utf-8' : 'windows-1252'
}

/** Names are read from the resource's own address: after a rename they are other than those asked for. */
function repositoryOf({ url }: Pick<Entry, 'url'>, place: FilePlace): [string, string] {
  const [, owner = place.owner, repo = place.repo] =
    /\/repos\/([^/]+)\/([^/]+)\/contents\//.exec(url) ?? []
  return [owner, repo]
}

function refOf(url: string): string | undefined {
  return URL.parse(url)?.searchParams.get('ref') ?? undefined
}
