import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { STEPS } from '../bench/chaos/steps.ts'
import { KNOWN_EVENTS } from '../src/context/webhooks/marks.ts'
import { startApp } from './support/app.ts'
import { startGitHub } from './support/github/index.ts'

const text = readFileSync('docs/operating.md', 'utf8')
const isDocumented = (name: string) => text.includes(`| \`${name}\` |`)

it('names every metric that there is', async () => {
  await using github = await startGitHub()
  await using app = await startApp({ github })
  const offered = (await app.get('/metrics')).text
  const names = [...offered.matchAll(/^# HELP (\S+) /gm)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThan(30)
  expect(names.filter((name) => !isDocumented(name))).toEqual([])
})

it('names every alert, and what to do', () => {
  const { groups } = parse(readFileSync('docker/prometheus/alerts.yaml', 'utf8')) as {
    groups: { rules: { alert: string; annotations: { action: string } }[] }[]
  }
  for (const { alert, annotations } of groups.flatMap(({ rules }) => rules)) {
    expect([alert, text.includes(`| ${alert} |`)]).toEqual([alert, true])
    expect([alert, text.includes(annotations.action)]).toEqual([alert, true])
  }
})

it('names every event of webhooks that is acted upon', () => {
  expect([...KNOWN_EVENTS].filter((event) => !text.includes(`\`${event}\``))).toEqual([])
})

it('has a row for each thing that chaos breaks', () => {
  for (const { expectation, name } of STEPS)
    expect([name, text.includes(`| ${name} | ${expectation} |`)]).toEqual([name, true])
})

it('leads to files that there are', () => {
  const named = [...text.matchAll(/`((?:docker|bench|test|src)\/[\w./-]+)`/g)]
  const linked = [...text.matchAll(/\]\(([\w./-]+?)(?:#[\w-]+)?\)/g)]
  const paths = [...named.map(([, path]) => path), ...linked.map(([, path]) => `docs/${path}`)]
  expect(paths.length).toBeGreaterThan(5)
  expect(paths.filter((path) => !existsSync(path ?? ''))).toEqual([])
})
