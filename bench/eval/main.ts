/**
 * `npm run eval [-- SEED]`: what of that which a question is about comes with an answer of 500, 1,500 and 4,000
 * tokens, against plain truncation of the same content. Prints a table and keeps it in
 * `bench/results/eval.json`; with a seed of the caller's own it is printed only.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { startApp } from '../../test/support/app.ts'
import { OCTOCAT_TOKEN, recordedWorld, startGitHub } from '../../test/support/github/index.ts'
import { type Recall, recallOf, shareOf } from './recall.ts'
import { addScenes } from './scenes.ts'

const RESULTS = resolve(import.meta.dirname, '../results')
const BUDGETS = [500, 1_500, 4_000]
const USUAL = 20_240_611
const SEED = Number(process.argv[2] ?? USUAL)

const world = recordedWorld()
world.limits.core = 1_000_000
const scenes = addScenes(world, SEED)
const github = await startGitHub({ world })
const app = await startApp({
  github,
  env: { GITHUB_TOKEN: OCTOCAT_TOKEN, RATE_LIMIT_MAX: '1000000', GITHUB_BUDGET: 'off' },
})
const recalls: Recall[] = []
for (const scene of scenes) {
  recalls.push(...(await recallOf(app, scene, BUDGETS)))
  console.error(`${scene.name}: done`)
}
await app.close()
await github.close()

if (SEED === USUAL) {
  await mkdir(RESULTS, { recursive: true })
  const result = { seed: SEED, recalls }
  await writeFile(resolve(RESULTS, 'eval.json'), `${JSON.stringify(result, null, 2)}\n`)
}
console.log(table(recalls))

function table(all: readonly Recall[]): string {
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const row = (name: string, of: readonly Recall[]) => {
    const cells = BUDGETS.flatMap((budget) => {
      const those = of.filter((recall) => recall.budget === budget)
      return [percent(shareOf(those, 'found')), percent(shareOf(those, 'truncated'))]
    })
    return `| ${[name, ...cells].join(' | ')} |`
  }
  const byScene = Map.groupBy(all, ({ scene }) => scene)
  const head = BUDGETS.flatMap((budget) => [`${budget} tokens`, 'truncated'])
  return [
    `| one relevant | ${head.join(' | ')} |`,
    `| --- |${' --- |'.repeat(head.length)}`,
    ...[...byScene].map(([scene, of]) => row(scene, of)),
    row('all', all),
  ].join('\n')
}
