import type { GetOptions, GitHub } from '../../core/github.ts'
import type { Cleaner } from './cleaner.ts'

/** Every method, one that may be absent too: a new one does not compile until it is cleaned here. */
type Cleaned = { readonly [Method in keyof GitHub]-?: GitHub[Method] }

/** GitHub, of which everything that comes is cleaned. */
export function cleanGitHub(github: GitHub, cleaner: Cleaner): GitHub {
  return {
    get: async (path, mark, options) => cleaner.data(await github.get(path, mark, options)),
    bytes: async (path, options) =>
      cleaner.file(await github.bytes(path, options), fileOf(path, options)),
    list: async (path, options) => cleaner.data(await github.list(path, options)),
    async download(path, options) {
      const { text, skipped } = await github.download(path, options)
      return { text: cleaner.text(text, 'code'), skipped }
    },
    graphql: async (query, variables) => cleaner.data(await github.graphql(query, variables)),
  } satisfies Cleaned
}

function fileOf(path: string, { params = {} }: GetOptions = {}): string {
  return String(params.path ?? path)
}
