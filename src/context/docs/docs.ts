import type { Provider } from '../../core/provider.ts'
import { docsPage } from './docs_page.ts'
import { docsSearch } from './docs_search.ts'
import { createFolder } from './folder.ts'
import { createPages } from './pages.ts'
import { createRemoteSections, type RemoteOptions } from './remote.ts'

export interface Docs {
  readonly providers: readonly Provider[]
  close(): Promise<void>
}

/** Where a folder of documents is likely to begin. */
const FIRST = /^(?:readme|index)\.\w+$/i

/**
 * The context types over a folder of Markdown.
 * @throws ServiceError `provider_error` where it cannot be read
 */
export async function createDocsProviders(dir: string, options: RemoteOptions): Promise<Docs> {
  const pages = createPages(createFolder(dir))
  const sections = createRemoteSections(dir, options)
  const paths = await pages.paths()
  const path = paths.find((one) => FIRST.test(one)) ?? paths[0] ?? 'README.md'
  const document = await pages.document(path)
  const words = document?.outline.headings[0]?.text || 'install'
  return {
    providers: [docsSearch(sections, words.slice(0, 80)), docsPage(pages, path)],
    close: sections.close,
  }
}
