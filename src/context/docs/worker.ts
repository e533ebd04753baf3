import { parentPort, workerData } from 'node:worker_threads'
import { ServiceError } from '../../core/errors.ts'
import { createFolder } from './folder.ts'
import type { Reply, Request } from './remote.ts'
import { createSections } from './sections.ts'

/** The index on a thread of its own: reading, indexing and searching hold nobody up. */
const sections = createSections(createFolder(workerData as string))

parentPort?.on('message', ({ ask, id }: Request) => {
  const answer = ask ? sections.search(ask) : sections.version()
  answer.then(
    (value) => reply({ id, value }),
    (error: unknown) => reply({ id, failure: failureOf(error) }),
  )
})

function reply(message: Reply): void {
  parentPort?.postMessage(message)
}

function failureOf(error: unknown): NonNullable<Reply['failure']> {
  if (error instanceof ServiceError) return { code: error.code, detail: error.detail }
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}
