import { expect, it } from 'vitest'
import { createMetrics } from '../../src/metrics/metrics.ts'
import { quiet } from '../support/metrics.ts'

it('counts replies, tokens, retries and the time to the first token', async () => {
  const metrics = createMetrics(quiet)
  const of = { provider: 'anthropic', model: 'claude-sonnet-5' }
  const usage = { input: 120, output: 30 }
  metrics.replyDone({ ...of, outcome: 'ok', duration: 900, firstToken: 200, retries: 2, usage })
  metrics.replyDone({ ...of, outcome: 'ok', duration: 2_000, firstToken: 300, retries: 0, usage })
  metrics.replyDone({
    ...of,
    outcome: 'model_timeout',
    duration: 120_000,
    firstToken: undefined,
    retries: 0,
    usage: undefined,
  })
  const labels = 'provider="anthropic",model="claude-sonnet-5"'
  const lines = (await metrics.render()).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      `model_reply_duration_seconds_count{${labels},outcome="ok"} 2`,
      `model_reply_duration_seconds_bucket{le="1",${labels},outcome="ok"} 1`,
      `model_reply_duration_seconds_count{${labels},outcome="model_timeout"} 1`,
      `model_first_token_seconds_count{${labels}} 2`,
      `model_tokens_total{${labels},direction="in"} 240`,
      `model_tokens_total{${labels},direction="out"} 60`,
      'model_retries_total{provider="anthropic"} 2',
    ]),
  )
})
