import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What modules from outside import the contract by. */
const CONTRACT = 'github-context-service/provider'
/** The tests' own runner does not know that name. */
const HERE = pathToFileURL(resolve(import.meta.dirname, '../../src/provider.ts')).href

export interface Modules extends AsyncDisposable {
  readonly folder: string
  /** Writes a module and gives its path. Its text begins with the import of the contract. */
  write(name: string, text: string): Promise<string>
}

/**
 * A folder somewhere else, for modules of providers.
 * @param byName whether they import the contract as others do; only a real process can resolve that
 */
export async function outsideModules({ byName = false } = {}): Promise<Modules> {
  const folder = await mkdtemp(join(tmpdir(), 'outside-'))
  return {
    folder,
    async write(name, text) {
      const path = join(folder, name)
      const source = byName ? text : text.replaceAll(`'${CONTRACT}'`, `'${HERE}'`)
      await writeFile(path, source)
      return path
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** A module with one sound provider over data of its own, of which `change` replaces members. */
export function weather(change = '', before = ''): string {
  return `
import { blockFields, defineProvider, ServiceError, Type } from '${CONTRACT}'
${before}
const draft = (place: string) => ({
  id: 'weather:' + place,
  title: 'Weather of ' + place,
  url: 'weather://' + place,
  head: '# Weather',
  by: 'repository' as const,
  pieces: [{ part: 'report', text: 'Sunny in ' + place, by: 'repository' as const, rank: 0 }],
  fields: () => ({ degrees: 20 }) as Record<string, unknown>,
  omit: () => [],
})
export default defineProvider({
  type: 'weather',
  blockType: 'weather',
  title: 'Weather',
  description: 'What the weather is like at a place on Earth.',
  uri: 'weather://{place}',
  params: Type.Object(
    { place: Type.String({ maxLength: 80, description: 'Name of the place' }) },
    { additionalProperties: false },
  ),
  block: Type.Object({ ...blockFields, degrees: Type.Integer() }),
  example: { place: 'Oslo' },
  data: 'own',
  cache: { freshFor: 60, staleFor: 60, keepFor: 3_600 },
  tags: ({ place }) => ['weather:' + place],
  async fetch({ place }) {
    return { visibility: 'public', omitted: [], blocks: [draft(place)] }
  },
  ${change}
})
`
}
