import { costOf, execute } from '../graphql/execute.ts'
import type { Route } from '../types.ts'

const route = (path: string): Route => ({
  method: 'POST',
  path,
  resource: 'graphql',
  authenticated: true,
  cost: costOf,
  handle: execute,
})

/** On github.com, and on GitHub Enterprise Server, where REST is below /api/v3. */
export default [route('/graphql'), route('/api/graphql')]
