/** A server that speaks chat completions and answers at once, as far away as the next process. */
import { says } from '../../test/support/models/scripts.ts'
import { startStandIn } from '../../test/support/models/server.ts'

const WORDS = Array.from({ length: 20 }, (_, index) => ` word${index}`)
const server = await startStandIn({ protocol: 'openai', port: Number(process.env.PORT) })
// Each call takes one: more than a bench makes.
for (let call = 0; call < 10_000; call += 1) server.plays(says(WORDS))
