import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createMetrics } from '../src/metrics/metrics.ts'
import { quiet } from './support/metrics.ts'

const read = (path: string) => readFile(join(import.meta.dirname, '../docker', path), 'utf8')
const alerts: { groups: { rules: Rule[] }[] } = parse(await read('prometheus/alerts.yaml'))
const dashboard: { panels: Panel[] } = JSON.parse(await read('grafana/dashboard.json'))

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly action: string }
}
interface Panel {
  readonly title: string
  readonly targets: readonly { readonly expr: string }[]
}

/** Names of what the service offers, with the suffixes that Prometheus gives to histograms. */
async function offered(): Promise<ReadonlySet<string>> {
  const metrics = createMetrics(quiet)
  const text = await metrics.render()
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  const names = types.flatMap(([, name = '', type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
  )
  return new Set(['up', ...names])
}

/** All that is asked for, each with where. */
const asked = [
  ...alerts.groups.flatMap(({ rules }) => rules).map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ targets, title }) =>
    targets.map(({ expr }) => [title, expr] as const),
  ),
]

const WORDS = new Set('sum rate min max by le increase histogram_quantile'.split(' '))
/** Names of metrics in a PromQL expression: identifiers that are no labels, strings or functions. */
function metricsIn(expr: string): string[] {
  const bare = expr.replaceAll(/\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)/g, ' ')
  return [...bare.matchAll(/[a-z_][a-z0-9_:]*/gi)]
    .map(([name]) => name)
    .filter((name) => !WORDS.has(name))
}

const rules = alerts.groups.flatMap((group) => group.rules)

describe('monitoring', () => {
  it('asks only for metrics that there are', async () => {
    const names = await offered()
    expect(asked.length).toBeGreaterThan(25)
    for (const [where, expr] of asked) {
      expect([where, metricsIn(expr)]).not.toEqual([where, []])
      for (const name of metricsIn(expr))
        expect([where, name, names.has(name)]).toEqual([where, name, true])
    }
  })

  it('shows all that there is', async () => {
    const metrics = createMetrics(quiet)
    const own = [...(await metrics.render()).matchAll(/^# TYPE (\S+) /gm)]
      .map(([, name = '']) => name)
      .filter((name) => !/^(nodejs|process)_/.test(name))
    expect(own.length).toBeGreaterThan(20)
    const shown = asked.flatMap(([, expr]) => metricsIn(expr))
    const missing = own.filter((name) => !shown.some((one) => one.startsWith(name)))
    expect(missing).toEqual([])
  })

  it('is explained, each as it explains itself', async () => {
    const [rendered, document] = await Promise.all([
      createMetrics(quiet).render(),
      read('../docs/observability.md'),
    ])
    const kinds = new Map(
      [...rendered.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name, kind]),
    )
    const rows = [...rendered.matchAll(/^# HELP (\S+) (.*)$/gm)]
      .filter(([, name = '']) => !/^(nodejs|process)_/.test(name))
      .map(([, name, help]) => `| \`${name}\` | ${kinds.get(name)} | ${help} |`)
    const [, table = ''] = document.split('| metric | kind | meaning |\n| --- | --- | --- |\n')
    expect(table.trim().split('\n')).toEqual(rows)
  })

  it('tells for each alert how bad it is and what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    for (const { annotations, labels } of rules) {
      expect(labels.severity).toMatch(/^(critical|warning)$/)
      expect(annotations.summary.length).toBeGreaterThan(10)
      expect(annotations.action.length).toBeGreaterThan(10)
    }
  })
})
