import type { Provider } from '../../core/provider.ts'
import { docsPage } from './docs_page.ts'
import { docsSearch } from './docs_search.ts'
import { createFolder } from './folder.ts'
import { createLibrary } from './library.ts'

/** Where a folder of documents is likely to begin. */
const FIRST = /^(?:readme|index)\.\w+$/i

/**
 * The context types over a folder of Markdown.
 * @throws ServiceError `provider_error` where it cannot be read
 */
export async function createDocsProviders({ dir }: { dir: string }): Promise<readonly Provider[]> {
  const library = createLibrary(createFolder(dir))
  const paths = await library.paths()
  const path = paths.find((one) => FIRST.test(one)) ?? paths[0] ?? 'README.md'
  const document = await library.document(path)
  const words = document?.outline.headings[0]?.text ?? 'install'
  return [docsSearch(library, words.slice(0, 80)), docsPage(library, path)]
}
