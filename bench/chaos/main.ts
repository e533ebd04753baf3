/**
 * `npm run chaos`: three replicas, a real Redis and a simulated GitHub under steady load while one thing
 * after the other breaks. `-- --seconds 240` makes it longer, `-- Redis` plays the steps with that in
 * their name. Prints tables, keeps them in bench/results/chaos.json, and ends with 1 where an answer was
 * wrong, was another's, came too late to be refused, or a request failed that nothing excuses.
 */
import { parseArgs } from 'node:util'
import { runChaos } from './chaos.ts'
import { isClean, print, resultOf, write } from './report.ts'
import { STEPS } from './steps.ts'

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '100' } },
  allowPositionals: true,
})
const steps = STEPS.filter(
  ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
)
if (steps.length === 0) {
  console.error(`There is no such step. There are:\n${STEPS.map(({ name }) => name).join('\n')}`)
  process.exit(2)
}
// About half of the time goes into starting, recovering and resting.
const ms = (Number(values.seconds) * 1000) / steps.length / 2
process.setMaxListeners(50)
const report = await runChaos(steps, ms, (line) => console.error(line))
print(report)
if (steps.length === STEPS.length) await write('chaos', resultOf(report))
if (!isClean(report)) process.exitCode = 1
// Whatever is held open must not keep a failed run from ending.
process.exit()
