import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface DocsFolder extends AsyncDisposable {
  /** What DOCS_DIR names. */
  readonly dir: string
  /** A folder next to it, of which nothing may be served. */
  readonly outside: string
  write(path: string, content: string | Uint8Array): Promise<void>
  remove(path: string): Promise<void>
}

/** A real folder of documents. */
export async function docsFolder(
  files: Readonly<Record<string, string>> = {},
): Promise<DocsFolder> {
  const root = await mkdtemp(join(tmpdir(), 'docs-'))
  const dir = join(root, 'docs')
  const outside = join(root, 'outside')
  await mkdir(dir)
  await mkdir(outside)
  const write = async (path: string, content: string | Uint8Array) => {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), content)
  }
  for (const [path, content] of Object.entries(files)) await write(path, content)
  return {
    dir,
    outside,
    write,
    remove: (path) => rm(join(dir, path), { recursive: true }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}
