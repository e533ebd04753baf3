/**
 * `npm run fuzz`: 50,000 requests that the OpenAPI document gave rise to, against the real app.
 * `-- --count 200000 --seed 7`. Prints the seed, and ends with 1 where an answer is not as the document says.
 */
import { parseArgs } from 'node:util'
import { runFuzz } from './run.ts'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '50000' }, seed: { type: 'string' } },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
console.log(`seed ${seed}`)
const say = (line: string) => console.error(line)
const report = await runFuzz({ seed, count: Number(values.count), say })
const { bySort, byStatus, faults, overSockets, requests, unreached } = report
console.log(`${requests} requests, ${overSockets} over sockets`)
console.log(bySort, byStatus)
if (unreached.length > 0) console.log(`never succeeded: ${unreached.join()}`)
for (const { count, request, what } of faults) console.log(`\n${count} × ${what}\n  ${request}`)
console.log(`${faults.length} faults; again with --seed ${seed}`)
process.exit(faults.length === 0 ? 0 : 1)
