import { paged } from '../pages.ts'
import { serialise } from '../serialise.ts'
import { repositoryRoutes } from './repository.ts'

export default repositoryRoutes({
  path: 'labels',
  permission: 'issues=read',
  handle: (ask, { body, labels }) =>
    paged(ask, `/repositories/${body.id}/labels`, labels, (label) =>
      serialise('other', ask.version, label),
    ),
})
