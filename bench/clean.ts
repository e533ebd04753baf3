import { createCleaner } from '../src/context/safe/cleaner.ts'
import { type Bench, figure } from './support/figures.ts'
import { median } from './support/statistics.ts'

const COMMENTS = 1_000
const ROUNDS = 31
const MEGABYTE = 1_000_000

export const clean: Bench = {
  name: 'clean',
  title: 'Cleaning 1,000 comments of 80 fields that are clean, against parsing them',
  async run() {
    const json = JSON.stringify(Array.from({ length: COMMENTS }, (_, i) => comment(i)))
    const code = 'export function nameOf(value: string) { return value.trim() }\n'.repeat(16_400)
    const parse: number[] = []
    const data: number[] = []
    const text: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const parsed = { value: undefined as unknown }
      parse.push(
        cpuOf(() => {
          parsed.value = JSON.parse(json)
        }),
      )
      data.push(cpuOf(() => createCleaner().data(parsed.value)))
      text.push(cpuOf(() => createCleaner().text(code, 'code')))
    }
    return [
      figure('cleaning ÷ JSON.parse', median(data) / median(parse), 'ratio', { most: 2 }),
      figure('cleaning', median(data), 'ms'),
      figure('JSON.parse', median(parse), 'ms'),
      figure('text', json.length / MEGABYTE, 'MB'),
      figure('cleaning a megabyte of code', median(text) / (code.length / MEGABYTE), 'ms', {
        most: 20,
      }),
    ]
  },
}

/** Milliseconds of the processor. */
function cpuOf(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

/** As GitHub sends them: most fields are addresses. */
function comment(id: number) {
  const api = `https://api.github.com/users/user${id}`
  const addresses = Array.from({ length: 60 }, (_, i) => [
    `field${i}_url`,
    `${api}/events/${i}{/more}`,
  ])
  const more = Array.from({ length: 18 }, (_, i) => [
    `field${i}`,
    i % 3 ? i : `value ${i} of ${id}`,
  ])
  const body = 'The parser fails when a file has no line at its end, see `parse()` in #12. '
  return { id, body: body.repeat(14), ...Object.fromEntries([...addresses, ...more]) }
}
