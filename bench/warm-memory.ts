import { compareCapacity } from './support/capacity.ts'
import { type Bench, figure } from './support/figures.ts'
import { start } from './support/servers.ts'
import {
  askIssue,
  environment,
  issueRequest,
  startService,
  startSimulator,
} from './support/service.ts'

export const warmMemory: Bench = {
  name: 'warm-memory',
  title: 'An answer from memory, against a bare route that sends the same bytes',
  async run() {
    await using github = await startSimulator({ comments: 3 })
    await using plain = await start({ file: 'bench/servers/plain.ts', env: environment(github) })
    await using service = await startService(github)
    const env = { BYTES_OF: service.url }
    await using bare = await start({ file: 'bench/servers/bare.ts', env })
    const { body } = await askIssue(service.url, 1)
    const warm = issueRequest(1)
    const request = () => warm
    const [off, full, base] = await compareCapacity({ name: 'bare', server: bare, request }, [
      { name: 'features off', server: plain, request },
      { name: 'default', server: service, request },
    ])
    return [
      figure('features off ÷ bare', off.ratio, 'ratio', { least: 0.85 }),
      figure('default ÷ bare', full.ratio, 'ratio', { least: 0.7 }),
      figure('features off ÷ bare, by the clock', off.wallRatio, 'ratio'),
      figure('default ÷ bare, by the clock', full.wallRatio, 'ratio'),
      figure('CPU of bare', base.cpu, 'µs'),
      figure('CPU of features off', off.cpu, 'µs'),
      figure('CPU of default', full.cpu, 'µs'),
      figure('body', body.length, 'bytes'),
    ]
  },
}
