/** Whatever else was recorded, as it was recorded: found when no other route knows the path. */
import { notFound, text, withHeaders } from '../replies.ts'
import type { Ask, Recording, Reply, Route } from '../types.ts'
import { repositoryRoutes } from './repository.ts'

/** What was recorded, or GitHub's 404. */
export function replay(ask: Ask, recording: Recording | undefined): Reply {
  if (!recording) return notFound()
  const { status, body, contentType, location, lastModified } = recording
  const raw = contentType.includes('.raw')
  if (raw && !ask.accept.includes('raw')) return notFound()
  const reply = text(status, body)
  reply.contentType = contentType
  if (raw) reply.mediaType = 'github.v3; param=raw'
  if (lastModified) reply.lastModified = lastModified
  return location ? withHeaders(reply, 'Location', location) : reply
}

const ofRepository = repositoryRoutes({
  path: '{+rest}',
  permission: 'contents=read',
  handle: (ask, { recordings }) =>
    replay(ask, recordings.get((ask.params.rest ?? '') + ask.search)),
})

const others: Route = {
  method: 'GET',
  path: '/{+rest}',
  handle: (ask) => replay(ask, ask.world.recordings.get(ask.pathname + ask.search)),
}

export default [...ofRepository, others]
