/** Whether a file may be fetched from an address that GitHub named. */
export type StoreRule = (address: URL) => boolean

/**
 * Where GitHub keeps logs, artifacts and archives (docs.github.com/actions/reference/github-hosted-runners,
 * "communication requirements"). A star stands for one or more names.
 */
const STORES = ['*.blob.core.windows.net', '*.githubusercontent.com']

/**
 * Redirects are GitHub's word, but they must not lead this service into a network that its callers
 * cannot reach: only hosts of GitHub's and those the operator named, only by TLS, on no port but
 * the usual. An API without TLS is one for tests: then hosts that were named may lack it as well.
 */
export function createStoreRule(apiUrl: string, named: readonly string[]): StoreRule {
  const api = new URL(apiUrl)
  // Of GitHub Enterprise Server the host itself, of github.com and ghe.com also what lies beside the API.
  const home = api.hostname.replace(/^api\./, '')
  const plain = api.protocol === 'http:'
  return ({ host, hostname, password, protocol, username }) => {
    if (username !== '' || password !== '') return false
    const isNamed = named.some((pattern) => matches(pattern, host))
    if (protocol === 'http:') return plain && isNamed
    if (protocol !== 'https:') return false
    const isGitHubs = [...STORES, home, `*.${home}`].some((pattern) => matches(pattern, hostname))
    return isNamed || (isGitHubs && host === hostname)
  }
}

function matches(pattern: string, host: string): boolean {
  const name = pattern.toLowerCase()
  return name.startsWith('*.')
    ? host.endsWith(name.slice(1)) && host.length >= name.length
    : host === name
}
