import { execFile } from 'node:child_process'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFolder, LARGEST } from '../../../src/context/docs/folder.ts'
import { type DocsFolder, docsFolder } from '../../support/docs.ts'

const SECRET = 'nobody may read this'
let docs: DocsFolder
beforeEach(async () => {
  docs = await docsFolder({
    'README.md': '# Home',
    'guide/install.md': '# Install',
    'guide/deep/er/note.markdown': '# Note',
    'guide/data.json': SECRET,
    '.hidden.md': SECRET,
    '.git/config.md': SECRET,
    'node_modules/pkg/README.md': SECRET,
    'guide/node_modules/x.md': SECRET,
  })
  await writeFile(join(docs.outside, 'secret.md'), SECRET)
})
afterEach(() => docs[Symbol.asyncDispose]())

const paths = async () => (await createFolder(docs.dir).list()).documents.map(({ path }) => path)
const text = async (path: string) => (await createFolder(docs.dir).read(path))?.bytes.toString()

describe('a folder of documents', () => {
  it('lists what is Markdown, in order, and nothing that is hidden or of packages', async () => {
    expect(await paths()).toEqual(['README.md', 'guide/deep/er/note.markdown', 'guide/install.md'])
  })

  it('reads what it lists', async () => {
    for (const path of await paths()) expect(await text(path)).toMatch(/^# /)
  })

  it('tells by the stamp that a file changed, also where its size did not', async () => {
    const folder = createFolder(docs.dir)
    const stamps = new Set<string | undefined>()
    for (const content of ['# One!', '# Two!', '# Three']) {
      await docs.write('README.md', content)
      const looked = await folder.look('README.md')
      expect(looked).toMatchObject({ path: 'README.md', young: true })
      stamps.add((await folder.read('README.md'))?.hash)
    }
    expect(stamps.size).toBe(3)
  })

  it('reads the start of a file that is too large, and tells its size', async () => {
    await docs.write('large.md', 'x'.repeat(LARGEST + 10))
    const read = await createFolder(docs.dir).read('large.md')
    expect([read?.bytes.length, read?.size]).toEqual([LARGEST, LARGEST + 10])
  })

  it('that is not there is a problem of the service', async () => {
    const folder = createFolder(join(docs.dir, 'none'))
    await expect(folder.list()).rejects.toMatchObject({ code: 'provider_error' })
    await expect(folder.read('README.md')).rejects.toMatchObject({ code: 'provider_error' })
  })

  it('is the one that a link leads to now', async () => {
    const link = join(docs.outside, 'current')
    await symlink(docs.dir, link)
    const folder = createFolder(link)
    expect((await folder.read('README.md'))?.bytes.toString()).toBe('# Home')
    const next = await docsFolder({ 'README.md': '# Next' })
    await rm(link)
    await symlink(next.dir, link)
    expect((await folder.read('README.md'))?.bytes.toString()).toBe('# Next')
    await next[Symbol.asyncDispose]()
  })
})

describe('nothing else is read', () => {
  it.each([
    '../outside/secret.md',
    'guide/../../outside/secret.md',
    '/etc/passwd',
    'guide/data.json',
    '.hidden.md',
    '.git/config.md',
    'node_modules/pkg/README.md',
    'guide/node_modules/x.md',
    'guide',
    'guide/',
    '',
    '.',
    '..',
    'README.md\0.txt',
    'README.md/',
    'README.md/x.md',
    '..\\outside\\secret.md',
    '%2e%2e/outside/secret.md',
    'none.md',
  ])('%j', async (path) => {
    const expected = path === 'README.md/' ? '# Home' : undefined
    expect(await text(path)).toBe(expected)
  })

  it('whatever the path', async () => {
    const segment = fc.constantFrom(
      ...['..', '.', '', 'guide', 'outside', 'secret.md', 'install.md', '.git', 'config.md'],
      ...['docs', '\0', '\\', '%2e%2e', '..;', '...', '~', 'C:', 'README.md', 'link', 'data.json'],
    )
    await symlink(docs.outside, join(docs.dir, 'link'))
    await fc.assert(
      fc.asyncProperty(
        fc.array(segment, { maxLength: 6 }),
        fc.constantFrom('/', '\\', '//', '/./'),
        async (segments, separator) => {
          const found = await text(segments.join(separator)).catch(() => undefined)
          expect(found ?? '# ').toMatch(/^# /)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('through links that lead out, or to what is not served', async () => {
    await symlink(join(docs.outside, 'secret.md'), join(docs.dir, 'file.md'))
    await symlink('../outside/secret.md', join(docs.dir, 'relative.md'))
    await symlink(docs.outside, join(docs.dir, 'folder'))
    await symlink('.git/config.md', join(docs.dir, 'hidden.md'))
    await symlink('node_modules/pkg/README.md', join(docs.dir, 'package.md'))
    await symlink('guide/data.json', join(docs.dir, 'data.md'))
    await symlink('loop.md', join(docs.dir, 'loop.md'))
    await symlink('/dev/zero', join(docs.dir, 'zero.md'))
    for (const path of [
      'file',
      'relative',
      'folder/secret',
      'hidden',
      'package',
      'data',
      'loop',
      'zero',
    ])
      expect([path, await text(`${path}.md`)]).toEqual([path, undefined])
    expect(await paths()).toHaveLength(3)
  })

  it('but what links lead to inside, and what Kubernetes mounts', async () => {
    await symlink('guide/install.md', join(docs.dir, 'inside.md'))
    const version = '..2026_01_31_12_00_00.123456789'
    await docs.write(`${version}/mounted.md`, '# Mounted')
    await symlink(version, join(docs.dir, '..data'))
    await symlink('..data/mounted.md', join(docs.dir, 'mounted.md'))
    expect(await text('inside.md')).toBe('# Install')
    expect(await text('mounted.md')).toBe('# Mounted')
    expect(await paths()).toEqual(
      expect.arrayContaining(['inside.md', 'mounted.md', 'guide/install.md']),
    )
    expect(await paths()).toHaveLength(5)
  })

  it('that is no file: a folder or a pipe of such a name does not hold the call', async () => {
    await mkdir(join(docs.dir, 'folder.md'))
    await promisify(execFile)('mkfifo', [join(docs.dir, 'pipe.md')])
    expect(await text('folder.md')).toBeUndefined()
    expect(await text('pipe.md')).toBeUndefined()
    expect(await paths()).toHaveLength(3)
  })

  it('whose name shows another one, or could be taken for a path of Windows', async () => {
    for (const name of ['a\u202edm.md', 'b\u200b.md', 'c\n.md', 'd\\e.md'])
      await docs.write(name, SECRET)
    expect(await paths()).toHaveLength(3)
    for (const name of ['a\u202edm.md', 'b\u200b.md', 'c\n.md', 'd\\e.md'])
      expect(await text(name)).toBeUndefined()
  })

  it('but a file that is replaced at that moment is: as it was, or as it is', async () => {
    const path = join(docs.dir, 'README.md')
    let going = true
    const replacing = (async () => {
      for (let i = 0; going; i++) {
        await writeFile(join(docs.outside, 'next.md'), `# Home ${i}`)
        await rename(join(docs.outside, 'next.md'), path)
      }
    })()
    const folder = createFolder(docs.dir)
    const seen: (string | undefined)[] = []
    for (let i = 0; i < 400; i++) seen.push((await folder.read('README.md'))?.bytes.toString())
    going = false
    await replacing
    expect(seen.filter((text) => !/^# Home/.test(text ?? ''))).toEqual([])
    expect(new Set(seen).size).toBeGreaterThan(2)
  })

  it('while a link is swapped back and forth below the reader', async () => {
    await docs.write('swap/secret.md', '# Harmless')
    const swap = join(docs.dir, 'swap')
    const [inside, out] = [join(docs.dir, 'kept'), join(docs.dir, 'out')]
    await symlink(docs.outside, out)
    let going = true
    const swapping = (async () => {
      while (going) {
        await rename(swap, inside)
        await rename(out, swap)
        await rename(swap, out)
        await rename(inside, swap)
      }
    })()
    const folder = createFolder(docs.dir)
    const seen = new Set<string | undefined>()
    const startedAt = performance.now()
    for (let i = 0; i < 400 || (seen.size < 2 && performance.now() - startedAt < 10_000); i++) {
      seen.add((await folder.read('swap/secret.md'))?.bytes.toString())
      seen.add((await folder.look('swap/secret.md')) ? '# Harmless' : undefined)
    }
    going = false
    await swapping
    expect(seen).not.toContain(SECRET)
    expect(seen).toContain('# Harmless')
  })
})
