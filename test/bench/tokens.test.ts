import { expect, it } from 'vitest'
import { meets } from '../../bench/support/figures.ts'
import { tokens } from '../../bench/tokens.ts'

it('has every fact of GitHub’s raw JSON in a tenth of its tokens', async () => {
  const figures = await tokens.run()
  const aims = figures.filter(({ target }) => target !== undefined)
  expect(aims.map(({ name }) => name)).toEqual([
    'long issue: raw JSON ÷ answer',
    'long issue: facts missing',
    'large pull request: raw JSON ÷ answer',
    'large pull request: facts missing',
  ])
  expect(aims.filter((one) => !meets(one))).toEqual([])
}, 120_000)
