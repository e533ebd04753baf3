import { LRUCache } from 'lru-cache'
import { createPace } from '../../core/tokens.ts'
import { type Document, documentOf } from './document.ts'
import type { Folder, Listed } from './folder.ts'

/** Single documents, as they are when they are asked for. */
export interface Pages {
  /** Undefined where there is none. @throws ServiceError as `Folder` */
  document(path: string): Promise<Document | undefined>
  /** Paths of all documents. @throws ServiceError as `Folder` */
  paths(): Promise<string[]>
}

/** Characters of documents that are kept for being asked for again. */
const KEPT = 16 * 1024 * 1024

export function createPages(folder: Folder): Pages {
  const kept = new LRUCache<string, { listed: Listed; document: Document }>({
    maxSize: KEPT,
    sizeCalculation: ({ document }) =>
      document.lines.reduce((sum, line) => sum + line.length + 16, 1_000),
  })
  return {
    async document(path) {
      const listed = await folder.look(path)
      if (!listed) return undefined
      const known = kept.get(path)
      const same = known?.listed.stamp === listed.stamp && !known.listed.young
      if (same) return known.document
      const read = await folder.read(path)
      if (!read) return undefined
      const { stamp, young } = read
      const document =
        known?.document.hash === read.hash ? known.document : await documentOf(read, createPace())
      kept.set(path, { listed: { path, stamp, young }, document })
      return document
    },
    async paths() {
      const { documents } = await folder.list()
      return documents.map(({ path }) => path)
    },
  }
}
