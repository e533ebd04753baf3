import { accountOf } from '../files.ts'
import { commitAt, historyOf } from '../git.ts'
import { paged } from '../pages.ts'
import { text } from '../replies.ts'
import { repositoryRoutes } from './repository.ts'

/** Who has commits on the default branch, the most first; those without an account only with `anon`. */
export default repositoryRoutes({
  path: 'contributors',
  permission: 'metadata=read',
  handle: (ask, { git, body }) => {
    const commit = commitAt(git, 'HEAD', String(body.default_branch))
    if (!commit) {
      const empty = text(200, '')
      return { ...empty, status: 204, caching: 'none' }
    }
    const found = new Map<string, { who: object; contributions: number }>()
    for (const { author } of historyOf(git, commit.sha)) {
      const account = accountOf(ask.world, author)
      const anonymous = { email: author.email, name: author.name, type: 'Anonymous' }
      const known = found.get(account?.login ?? author.email)
      if (known) known.contributions++
      else
        found.set(account?.login ?? author.email, { who: account ?? anonymous, contributions: 1 })
    }
    const shown = [...found.values()]
      .filter(({ who }) => 'login' in who || /^(1|true)$/.test(ask.query.get('anon') ?? ''))
      .sort((a, b) => b.contributions - a.contributions)
    return paged(ask, `/repositories/${body.id}/contributors`, shown, ({ who, contributions }) =>
      JSON.stringify({ ...who, contributions }),
    )
  },
})
