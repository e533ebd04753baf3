/**
 * A server that speaks chat completions and answers at once, as far away as the next process. Its
 * first word is the time at which it was written.
 */
import { startStandIn } from '../../test/support/models/server.ts'

const server = await startStandIn({ protocol: 'openai', port: Number(process.env.PORT) })
// Each call takes one: more than a bench makes.
for (let call = 0; call < 10_000; call += 1) {
  server.plays((stage) => {
    stage.begin()
    stage.text(String(performance.timeOrigin + performance.now()))
    for (let word = 0; word < 20; word += 1) stage.text(` word${word}`)
    stage.end()
  })
}
