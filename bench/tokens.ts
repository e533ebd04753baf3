import { countTokens } from '../src/core/tokens.ts'
import { type App, type ContextRequest, startApp } from '../test/support/app.ts'
import { OCTOCAT_TOKEN, recordedWorld, startGitHub } from '../test/support/github/index.ts'
import { type Bench, type Figure, figure } from './support/figures.ts'
import { type TokenScene, tokenScenes } from './support/tokenScenes.ts'

/** Unabridged: neither has a budget. */
export const tokens: Bench = {
  name: 'tokens',
  title: "Tokens of an answer that has every fact, against GitHub's raw JSON of the same",
  async run() {
    const world = recordedWorld()
    const scenes = tokenScenes(world)
    await using github = await startGitHub({ world })
    await using app = await startApp({ github, env: { GITHUB_TOKEN: OCTOCAT_TOKEN } })
    const figures: Figure[] = []
    for (const scene of scenes) {
      const content = await contentOf(app, scene.request)
      const answer = countTokens(content)
      const raw = await rawTokens(github.url, scene)
      figures.push(
        figure(`${scene.name}: raw JSON ÷ answer`, raw / answer, 'ratio', { least: 10 }),
        figure(`${scene.name}: facts missing`, missing(content, scene).length, 'facts', {
          most: 0,
        }),
        figure(`${scene.name}: raw JSON`, raw, 'tokens'),
        figure(`${scene.name}: answer`, answer, 'tokens'),
      )
      if (scene.brief) {
        const brief = countTokens(await contentOf(app, scene.brief))
        figures.push(
          figure(`${scene.name} without patches: raw JSON ÷ answer`, raw / brief, 'ratio'),
        )
      }
    }
    return figures
  },
}

async function contentOf(app: App, request: ContextRequest): Promise<string> {
  const { context } = await app.context(request)
  return context.map(({ content }) => content).join('\n\n')
}

async function rawTokens(url: string, { more, paths }: TokenScene): Promise<number> {
  let sum = more.reduce((all, body) => all + countTokens(JSON.stringify(body)), 0)
  for (const path of paths) {
    const response = await fetch(url + path, {
      headers: { authorization: `Bearer ${OCTOCAT_TOKEN}` },
    })
    if (!response.ok) throw new Error(`${path} answered ${response.status}`)
    sum += countTokens(await response.text())
  }
  return sum
}

/** Facts, by what they are, that the content does not have. */
function missing(content: string, { facts }: TokenScene): string[] {
  const plain = content.replaceAll(/^> ?/gm, '')
  return Object.entries(facts).flatMap(([what, all]) =>
    all.filter((fact) => !plain.includes(fact)).map((fact) => `${what}: ${fact}`),
  )
}
