import { it } from 'vitest'
import { startApp } from '../support/app.ts'
import { addAccount, addIssue, addRepository, startGitHub } from '../support/github/index.ts'
import { startRedis } from '../support/redis.ts'
import { setInterval as _s } from "node:timers"
import { deliver } from '../support/webhooks.ts'
const issue = { context_type: 'github_issue', params: { owner: 'octo', repo: 'talk', issue_number: 1, max_comments: 0 } }
const edited = { action: 'edited', repository: { full_name: 'octo/talk' }, issue: { number: 1 } }
it('x', async () => {
  const github = await startGitHub(); const redis = await startRedis()
  addAccount(github.world, { login: 'octo', token: 'ghp_x', limits: { core: 100_000 } })
  addRepository(github.world, { owner: 'octo', name: 'talk' }); addIssue(github.world, 'octo/talk')
  const start = () => startApp({ github, env: { GITHUB_TOKEN: 'ghp_x', GITHUB_WEBHOOK_SECRET: 's', REDIS_URL: redis.url, RATE_LIMIT_MAX: '1000000' } })
  const here = await start(), there = await start()
  const status = async (app: any) => { const t=performance.now(); const a = await app.post(issue); return `${a.status} ${a.headers['cache-status']} ${(performance.now()-t).toFixed(1)}` }
  const hit = (t: string) => /hit; ttl=\d/.test(t)
  const t0 = performance.now()
  for (let i = 0; i < 200; i++) {
    const seq: string[] = []
    let s
    for (let k=0;k<8 && !hit(s = await status(there));k++) { seq.push('there '+s, 'here '+await status(here)) }
    const sent = performance.now(); const d = await deliver(here, 'issues', edited, 's')
    const td = performance.now()-sent
    let n=0
    while (n<2000 && hit(s = await status(there))) n++
    if (n > 100 || i % 20 === 0 || performance.now()-sent > 150) console.log(i, (performance.now()-t0).toFixed(0), d.status, td.toFixed(1), (performance.now()-sent).toFixed(1), n, s, seq.join(' | '))
  }
}, 100000)
