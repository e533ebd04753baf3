import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Needle } from '../../bench/eval/needles.ts'
import { recallOf, shareOf } from '../../bench/eval/recall.ts'
import { addScenes, type Scene } from '../../bench/eval/scenes.ts'
import { stemOf, tellingWords, wordsOf } from '../../src/context/fit/words.ts'
import { type App, startApp } from '../support/app.ts'
import { type GitHub, OCTOCAT_TOKEN, startGitHub } from '../support/github/index.ts'

let github: GitHub
let app: App
let scenes: readonly Scene[]
beforeAll(async () => {
  github = await startGitHub()
  github.world.limits.core = 1_000_000
  scenes = addScenes(github.world, 7)
  app = await startApp({
    github,
    env: { GITHUB_TOKEN: OCTOCAT_TOKEN, RATE_LIMIT_MAX: '1000000', GITHUB_BUDGET: 'off' },
  })
})
afterAll(async () => {
  await app.close()
  await github.close()
})

/** `npm run eval` finds more; there is room for another seed, and for other versions of the packages. */
const LEAST = { found: 0.85, more: 0.7 }

/** Of the question's words, so many are in what it is about. */
function sharedWords({ query, text }: Needle): number {
  const said = new Set(wordsOf(text).map(stemOf))
  return [...new Set(tellingWords(query).map(stemOf))].filter((word) => said.has(word)).length
}

/** As who does not know how many there are. */
function asked(scene: Scene): Scene {
  const {
    include: _include,
    limit: _limit,
    max_comments: _comments,
    max_entries: _entries,
    ...params
  } = scene.request.params
  return { ...scene, request: { ...scene.request, params } }
}

describe('with a question, an answer of 1,500 tokens', () => {
  it('has the one comment of 250, hunk of 400, file of 130, wherever it is', async () => {
    const recalls = []
    for (const scene of scenes) {
      const [recall] = await recallOf(app, asked(scene), [1_500])
      if (!recall) throw new Error('not measured')
      recalls.push(recall)
      const plain = scene.needles.filter((needle) => sharedWords(needle) > 1)
      expect(plain.length).toBeGreaterThan(5)
      const missed = plain.filter(({ query }) => recall.missed.includes(query))
      expect.soft(missed, scene.name).toEqual([])
    }
    const found = shareOf(recalls, 'found')
    expect(found).toBeGreaterThan(LEAST.found)
    expect(found - shareOf(recalls, 'truncated')).toBeGreaterThan(LEAST.more)
  }, 120_000)
})
