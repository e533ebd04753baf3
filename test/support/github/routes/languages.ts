import { commitAt, filesOf } from '../git.ts'
import { text } from '../replies.ts'
import { repositoryRoutes } from './repository.ts'

/** A part of github-linguist's list: programming and markup languages, which are what it counts. */
const LANGUAGES: Readonly<Record<string, string>> = {
  c: 'C',
  css: 'CSS',
  go: 'Go',
  h: 'C',
  html: 'HTML',
  java: 'Java',
  js: 'JavaScript',
  py: 'Python',
  rb: 'Ruby',
  rs: 'Rust',
  sh: 'Shell',
  ts: 'TypeScript',
}

/** Bytes by language, the most used first. */
export default repositoryRoutes({
  path: 'languages',
  permission: 'metadata=read',
  handle: (_ask, { git, body, languages }) => {
    if (languages) return text(200, JSON.stringify(languages))
    const commit = commitAt(git, 'HEAD', String(body.default_branch))
    const sizes = new Map<string, number>()
    for (const { path, mode, sha } of commit ? filesOf(git, commit.tree) : []) {
      const language = LANGUAGES[path.split('.').at(-1) ?? '']
      if (!language || !mode.startsWith('100')) continue
      sizes.set(language, (sizes.get(language) ?? 0) + (git.blobs.get(sha)?.bytes.length ?? 0))
    }
    const sorted = [...sizes].sort(([, a], [, b]) => b - a)
    return text(200, JSON.stringify(Object.fromEntries(sorted)))
  },
})
