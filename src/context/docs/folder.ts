import { createHash } from 'node:crypto'
import { type BigIntStats, constants, type Dirent } from 'node:fs'
import { type FileHandle, lstat, open, readdir, readlink, realpath } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { ServiceError } from '../../core/errors.ts'
import { isDocument, isServed, segmentsOf } from './paths.ts'

/** A document as the folder lists it. */
export interface Listed {
  /** Relative to the folder, with `/`. */
  readonly path: string
  /** Another one where the file may have changed. */
  readonly stamp: string
  /** Whether the stamp may stay the same over another change: it was touched a moment ago. */
  readonly young: boolean
}

export interface Listing {
  /** In the order of their paths. */
  readonly documents: readonly Listed[]
  /** Whether there are more than are listed. */
  readonly more: boolean
}

/** A document's bytes, as far as they are read. */
export interface Read extends Listed {
  readonly bytes: Buffer
  /** Bytes of the whole file. */
  readonly size: number
  /** Digest of what was read. */
  readonly hash: string
}

export interface Folder {
  /** @throws ServiceError `provider_error` where the folder itself cannot be read */
  list(): Promise<Listing>
  /** What `read` would tell beside the bytes, without reading them; undefined where it cannot be. */
  look(path: string): Promise<Listed | undefined>
  /** Undefined where there is no such document, or none that may be read. */
  read(path: string): Promise<Read | undefined>
}

/** Documents at most. */
const MOST_DOCUMENTS = 20_000
const DEEPEST = 32
/** Bytes of one document that are read. */
export const LARGEST = 8 * 1024 * 1024
const CHUNK = 256 * 1024
/**
 * Milliseconds. Clocks of file systems tick: what changes twice in one tick keeps its time, so a
 * file is trusted by its time only when that has passed (git-scm.com/docs/racy-git).
 */
const YOUNG = 2_000
/** Times that a file is opened in a folder which is replaced meanwhile. */
const TRIES = 3
/** A FIFO must not hold the call, and a link at the end is followed: it is judged by where it leads. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/**
 * A folder of Markdown that cannot be left: whatever path is asked for, and whatever is moved or
 * linked meanwhile, only regular files are read that lie in the folder, are Markdown, and are neither
 * hidden nor below `node_modules`.
 */
export function createFolder(dir: string): Folder {
  return {
    list: () => listFolder(dir),
    look: (path) => withFile(dir, path, async (_handle, stats) => listedOf(path, stats)),
    read: (path) =>
      withFile(dir, path, async (handle, stats) => {
        const { bytes, hash } = await readStart(handle)
        return { ...listedOf(path, stats), bytes, hash, size: Number(stats.size) }
      }),
  }
}

async function listFolder(dir: string): Promise<Listing> {
  const root = await rootOf(dir)
  const found: Listed[] = []
  const ahead: string[][] = [[]]
  for (let segments = ahead.shift(); segments; segments = ahead.shift()) {
    const entries = await entriesOf(root, segments)
    const folders = entries.filter((entry) => entry.isDirectory() && isServed(entry.name))
    if (segments.length < DEEPEST) {
      for (const { name } of folders) ahead.push([...segments, name])
    }
    found.push(...(await documentsOf(root, segments, entries)))
    if (found.length > MOST_DOCUMENTS) break
  }
  found.sort((left, right) => (left.path < right.path ? -1 : 1))
  return { documents: found.slice(0, MOST_DOCUMENTS), more: found.length > MOST_DOCUMENTS }
}

async function rootOf(dir: string): Promise<string> {
  try {
    return await realpath(dir)
  } catch (cause) {
    const detail = 'The folder of documents cannot be read. Its operator set it as DOCS_DIR.'
    throw new ServiceError('provider_error', detail, { cause })
  }
}

/** What a folder holds; nothing where it has gone or may not be read. */
async function entriesOf(root: string, segments: readonly string[]): Promise<Dirent[]> {
  const entries = await readdir(join(root, ...segments), { withFileTypes: true }).catch(() => [])
  return entries.sort(byName)
}

const byName = (left: Dirent, right: Dirent) => (left.name < right.name ? -1 : 1)

async function documentsOf(
  root: string,
  segments: readonly string[],
  entries: readonly Dirent[],
): Promise<Listed[]> {
  const documents: Listed[] = []
  for (let from = 0; from < entries.length; from += 256) {
    const listed = await Promise.all(
      entries.slice(from, from + 256).map(async (entry) => {
        const path = [...segments, entry.name]
        if (!isDocument(path)) return undefined
        if (entry.isSymbolicLink()) {
          return withFile(root, path.join('/'), async (_, stats) => listedOf(path.join('/'), stats))
        }
        const stats = await lstat(join(root, ...path), { bigint: true }).catch(() => undefined)
        return stats?.isFile() ? listedOf(path.join('/'), stats) : undefined
      }),
    )
    documents.push(...listed.filter((one) => one !== undefined))
  }
  return documents
}

function listedOf(path: string, stats: BigIntStats): Listed {
  const { ctimeMs, ctimeNs, dev, ino, mtimeNs, size } = stats
  return {
    path,
    stamp: [dev, ino, size, mtimeNs, ctimeNs].join(':'),
    young: Date.now() - Number(ctimeMs) < YOUNG,
  }
}

/**
 * Opens first and judges then, by the open file: what the path leads to may change in between. Where
 * the folder itself was replaced in that moment, what is there now is tried.
 */
async function withFile<T>(
  dir: string,
  path: string,
  use: (handle: FileHandle, stats: BigIntStats) => Promise<T>,
): Promise<T | undefined> {
  const segments = segmentsOf(path)
  if (!isDocument(segments)) return undefined
  for (let tries = 0; tries < TRIES; tries += 1) {
    const root = await rootOf(dir)
    const target = join(root, ...segments)
    const handle = await open(target, FLAGS).catch(() => undefined)
    if (!handle) return undefined
    try {
      const stats = await handle.stat({ bigint: true })
      if (!stats.isFile()) return undefined
      const place = await placeOf(handle, target, stats)
      if (place?.startsWith(root + sep) && isOpenTo(relative(root, place).split(sep)))
        return await use(handle, stats)
    } finally {
      await handle.close()
    }
  }
  return undefined
}

/**
 * Where the open file lies. Linux knows it (proc_pid_fd(5)); a path that is resolved once more may
 * lead elsewhere by then, so other systems are asked whether it is still the same file.
 */
async function placeOf(
  { fd }: FileHandle,
  target: string,
  { dev, ino }: BigIntStats,
): Promise<string | undefined> {
  const known = await readlink(`/proc/self/fd/${fd}`).catch(() => undefined)
  // What was replaced meanwhile is told by where it lay.
  if (known !== undefined) return known.replace(/ \(deleted\)$/, '')
  const real = await realpath(target).catch(() => undefined)
  const found = real && (await lstat(real, { bigint: true }).catch(() => undefined))
  return found && found.dev === dev && found.ino === ino ? real : undefined
}

/**
 * Kubernetes mounts a volume's files as links into folders such as `..2026_01_31_12_00_00.123`, which
 * are hidden but meant.
 */
function isOpenTo(segments: readonly string[]): boolean {
  const [first = '', ...rest] = segments
  return isDocument(/^\.\.\d{4}_/.test(first) ? rest : segments)
}

async function readStart(handle: FileHandle): Promise<Pick<Read, 'bytes' | 'hash'>> {
  const hash = createHash('sha256')
  const chunks: Buffer[] = []
  for (let position = 0; position < LARGEST; ) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, LARGEST - position))
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
    if (bytesRead === 0) break
    const chunk = buffer.subarray(0, bytesRead)
    hash.update(chunk)
    chunks.push(chunk)
    position += bytesRead
  }
  return { bytes: Buffer.concat(chunks), hash: hash.digest('base64url').slice(0, 22) }
}
