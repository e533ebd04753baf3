/** What of docs/operating.md is derived: from the metrics, the alert rules, the events and the results. */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import type { ChaosResult } from '../bench/chaos/report.ts'
import { KNOWN_EVENTS } from '../src/context/webhooks/marks.ts'

const root = new URL('..', import.meta.url)
const read = (path: string) => readFile(new URL(path, root), 'utf8')

type Section = readonly [name: string, text: string]

/** @param metrics what GET /metrics answers */
export async function operatingSections(metrics: string): Promise<readonly Section[]> {
  return [
    ['figures', await figures()],
    [
      'webhook events',
      [...KNOWN_EVENTS]
        .sort()
        .map((event) => `\`${event}\``)
        .join(', '),
    ],
    ['metrics', metricsTable(metrics)],
    ['alerts', await alerts()],
    ['faults', await faults()],
  ]
}

function metricsTable(text: string): string {
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]),
  )
  const rows = [...text.matchAll(/^# HELP (\S+) (.+)$/gm)].map(
    ([, name = '', help = '']) =>
      `| \`${name}\` | ${types.get(name)} | ${help.replace(/\.$/, '')} |`,
  )
  // The service's own first, then those of Node and of the process.
  const [general, own] = [rows.filter(isGeneral), rows.filter((row) => !isGeneral(row))]
  return [
    '| metric | type | meaning |',
    '| --- | --- | --- |',
    ...own.sort(),
    ...general.sort(),
  ].join('\n')
}

const isGeneral = (row: string) => /^\| `(nodejs|process)_/.test(row)

interface Rule {
  readonly alert: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly action: string }
}

async function alerts(): Promise<string> {
  const { groups } = parse(await read('docker/prometheus/alerts.yaml')) as {
    groups: { rules: Rule[] }[]
  }
  const rows = groups
    .flatMap(({ rules }) => rules)
    .map(({ alert, annotations, for: time = 'at once', labels }) =>
      [alert, labels.severity, time, annotations.summary, annotations.action].join(' | '),
    )
  const head = [
    '| alert | severity | after | what it says | what to do |',
    '| --- | --- | --- | --- | --- |',
  ]
  return [...head, ...rows.map((row) => `| ${row} |`)].join('\n')
}

/** Of which bench which figures matter to whoever chooses machines. */
const FIGURES: readonly (readonly [bench: string, figure: string, meaning: string])[] = [
  ['start', 'service', 'from start to the first answer'],
  ['warm-memory', 'CPU of default', 'CPU of an answer out of memory, as installed'],
  ['warm-redis', 'CPU of default', 'CPU of an answer that only Redis has'],
  ['mcp-call', '2026-07-28: CPU of default', 'CPU of a `tools/call` out of memory'],
  ['cold-issue', 'service ÷ slower call', 'a cold issue ÷ the slower of its two calls to GitHub'],
  ['stampede', 'calls to GitHub for 1,000 requests', 'equal cold requests over 4 processes'],
  ['zipf', 'points saved after that', 'GitHub points saved under a Zipf load of 10,000 keys'],
  ['memory', 'bytes in use ÷ cap', 'memory in use for the cache ÷ `CACHE_MAX_BYTES`'],
  ['mcp-memory', 'resident at the end', 'resident after 100,000 `tools/call`'],
]

async function figures(): Promise<string> {
  const rows = await Promise.all(
    FIGURES.map(async ([bench, name, meaning]) => {
      const result = JSON.parse(await read(`bench/results/${bench}.json`))
      const found = result.figures.find((figure: { name: string }) => figure.name === name)
      if (!found) throw new Error(`bench/results/${bench}.json has no figure "${name}"`)
      const unit = found.unit === 'ratio' ? '' : ` ${found.unit}`
      return `| ${meaning} | ${found.value}${unit} | \`npm run bench -- ${bench}\` |`
    }),
  )
  const soak = JSON.parse(await read('bench/results/soak.json'))
  const resident = soak.rows
    .filter(({ what }: { what: string }) => what.startsWith('memory'))
    .map(({ last }: { last: number }) => last)
  const most = Math.round(Math.max(...resident))
  const meaning = `resident under a mixed load of ${soak.seconds} s, 16 MiB of cache`
  rows.push(`| ${meaning} | ${most} MiB | \`npm run soak\` |`)
  return ['| what | measured | by |', '| --- | --- | --- |', ...rows].join('\n')
}

async function faults(): Promise<string> {
  const { date, requests, rows } = JSON.parse(await read('bench/results/chaos.json')) as ChaosResult
  const lines = rows.map((row) => {
    const seen = [row.kept, row.github, row.session].map(shares).join(' | ')
    return `| ${row.fault} | ${row.expectation} | ${seen} | ${row.recovery ?? '–'} s |`
  })
  return [
    `Seen by the callers of \`npm run chaos\` on ${date}, ${requests} requests in all:`,
    '',
    '| what fails | what to expect | kept answers | what needs GitHub | sessions | well again after |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}

/** Without what is refused because it should be: that is no matter of the fault. */
function shares(seen: Readonly<Record<string, number>>): string {
  const counted = Object.entries(seen).filter(([outcome]) => !outcome.startsWith('refused as'))
  const total = counted.reduce((sum, [, count]) => sum + count, 0)
  return counted
    .toSorted(([, one], [, other]) => other - one)
    .map(([outcome, count]) => {
      const percent = (100 * count) / total
      return `${outcome} ${percent < 1 ? '< 1' : Math.round(percent)} %`
    })
    .join(', ')
}
