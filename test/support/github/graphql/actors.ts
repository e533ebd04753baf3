import type { UserBody } from '../types.ts'
import type { Of, Resolvers } from './types.ts'

/** Whoever wrote or did something; null where the account was deleted. */
export function actor(user: UserBody | null | undefined): Of<UserBody> | null {
  if (!user) return null
  const kind = ['Bot', 'Organization', 'Mannequin'].find((known) => known === user.type) ?? 'User'
  return { __typename: kind, of: user }
}

type Source = Of<UserBody>

/** REST calls it `dependabot[bot]`, GraphQL `dependabot`. */
const login = ({ of: user }: Source) => user.login.replace(/\[bot\]$/, '')

const common = {
  login,
  databaseId: ({ of: user }: Source) => user.id,
  avatarUrl: ({ of: user }: Source) => user.avatar_url,
  url: (source: Source) => {
    const folder = source.__typename === 'Bot' ? 'apps/' : ''
    return `https://github.com/${folder}${login(source)}`
  },
}

const named = { ...common, name: ({ of: user }: Source) => user.name ?? null }

export default {
  Bot: common,
  Mannequin: common,
  Organization: named,
  User: named,
} satisfies Resolvers
