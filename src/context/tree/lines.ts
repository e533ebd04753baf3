import { Type } from '@sinclair/typebox'
import { Nullable } from '../../core/schemas.ts'
import type { TreeEntry } from './layout.ts'

/** An entry of a tree as blocks hold it. */
export const ListedEntry = Type.Object({
  path: Type.String(),
  type: Type.String({ description: '`file`, `dir`, `symlink` or `submodule`' }),
  size: Nullable(Type.Integer({ description: 'Bytes' })),
  files: Type.Optional(
    Nullable(Type.Integer({ description: 'Files in a folder that is not shown itself' })),
  ),
})

/** Characters that would end the line, or hide. */
const ODD = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Its name on one line, with its size. */
export function entryLine(entry: TreeEntry): string {
  const name = entry.path.slice(entry.path.lastIndexOf('/') + 1)
  const shown = name.search(ODD) >= 0 ? escaped(name) : name
  switch (entry.type) {
    case 'dir':
      return entry.files === null ? `${shown}/` : `${shown}/ (${entry.files} files)`
    case 'file':
      return `${shown} ${entry.size}`
    default:
      return `${shown} (${entry.type})`
  }
}

/** As a JSON string, with the odd characters that JSON lets stand escaped as well. */
function escaped(name: string): string {
  return JSON.stringify(name).replace(
    ODD,
    (odd) => `\\u{${(odd.codePointAt(0) ?? 0).toString(16)}}`,
  )
}
