import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from './support/ask.ts'
import { type Bench, figure } from './support/figures.ts'
import { launch, type ServerOptions } from './support/servers.ts'
import { environment, startSimulator } from './support/service.ts'
import { median } from './support/statistics.ts'

const ROUNDS = 9

export const startUp: Bench = {
  name: 'start',
  title: 'From the start of the process to its first answer, against Fastify alone',
  async run() {
    await using github = await startSimulator()
    const env = environment(github)
    const bare: number[] = []
    const service: number[] = []
    // The first of each fills the disk's cache, and the compile cache when it ends.
    for (let round = -1; round < ROUNDS; round += 1) {
      const first = await timeToAnswer({ file: 'bench/servers/hello.ts' })
      const second = await timeToAnswer({ file: 'src/main.ts', env })
      if (round >= 0) bare.push(first)
      if (round >= 0) service.push(second)
    }
    const ratios = service.map((time, index) => time / (bare[index] as number))
    return [
      figure('service ÷ Fastify alone', median(ratios), 'ratio'),
      figure('service', median(service), 'ms'),
      figure('Fastify alone', median(bare), 'ms'),
    ]
  },
}

async function timeToAnswer(options: ServerOptions): Promise<number> {
  const begun = performance.now()
  await using server = await launch(options)
  while ((await ask(server.url, 'GET', '/health/ready')).status !== 200) await sleep(2)
  const time = performance.now() - begun
  process.kill(server.pid, 'SIGTERM')
  while (server.running) await sleep(20)
  return time
}
