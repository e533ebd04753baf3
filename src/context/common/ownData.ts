import type { Provider } from '../../core/provider.ts'
import type { BoundGitHub } from '../../github/client.ts'
import type { Credential } from '../../github/credentials.ts'

/** Whether a type has data of its own, which is not GitHub's. */
export const isOwn = ({ data }: Provider): boolean => data === 'own'

/** In whose name such data is asked for: that of everybody whom the service lets in. */
export const ownCredential: Credential = {
  principal: 'own',
  anonymous: false,
  from: 'service',
  authorization: async () => undefined,
}

/** What a provider with data of its own has for GitHub: in nobody's name nothing is asked. */
export const noGitHub: BoundGitHub = {
  get: refuse,
  bytes: refuse,
  list: refuse,
  download: refuse,
  graphql: refuse,
  calls: () => 0,
  isUnchanged: () => false,
}

async function refuse(): Promise<never> {
  throw new TypeError("a provider with `data: 'own'` cannot ask GitHub")
}
