import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { pinning } from './cores.ts'
import { type Bench, type Figure, meets } from './figures.ts'

const RESULTS = resolve(import.meta.dirname, '../results')

/** Keeps a bench's figures, with nothing in it that names the machine. */
export async function writeResult(bench: Bench, figures: readonly Figure[]): Promise<void> {
  const result = {
    bench: bench.name,
    title: bench.title,
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cpus: availableParallelism(),
    pinning,
    figures: figures.map((figure) => ({ ...figure, met: meets(figure) })),
  }
  await mkdir(RESULTS, { recursive: true })
  await writeFile(resolve(RESULTS, `${bench.name}.json`), `${JSON.stringify(result, null, 2)}\n`)
}

export function tableOf(rows: readonly (readonly [Bench, Figure])[]): string {
  const cells = rows.map(([bench, figure]) => [
    bench.name,
    figure.name,
    `${figure.value} ${figure.unit === 'ratio' ? '' : figure.unit}`.trim(),
    targetOf(figure),
    figure.target ? (meets(figure) ? 'yes' : 'NO') : '',
  ])
  const lines = [['bench', 'figure', 'measured', 'target', 'met'], ...cells]
  const widths = [0, 1, 2, 3, 4].map((at) =>
    Math.max(...lines.map((line) => line[at]?.length ?? 0)),
  )
  return lines
    .map((line) => `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`)
    .toSpliced(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`)
    .join('\n')
}

function targetOf({ target }: Figure): string {
  if (!target) return ''
  return 'least' in target ? `≥ ${target.least}` : `≤ ${target.most}`
}
