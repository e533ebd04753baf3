/** Writing is not simulated, but a renamed repository still answers it with 307. */
import { notFound } from '../replies.ts'
import { repositoryRoutes } from './repository.ts'

const METHODS = ['POST', 'PATCH', 'PUT', 'DELETE'] as const

export default METHODS.flatMap((method) =>
  ['', '{+rest}'].flatMap((path) =>
    repositoryRoutes({ method, path, permission: 'metadata=read', handle: notFound }),
  ),
)
