import { Counter, Histogram, type Registry } from '@prometheus-io/client'
import type { ReplyReport } from '../models/adapter.ts'

/** Seconds. */
const BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

/** @returns told of each reply of a model */
export function createModelMetrics(registry: Registry): (report: ReplyReport) => void {
  const registers = [registry]
  const replies = new Histogram({
    name: 'model_reply_duration_seconds',
    help: 'Replies of models, by provider, family of models, and outcome (ok, aborted, a problem code)',
    labelNames: ['provider', 'model', 'outcome'],
    buckets: BUCKETS,
    registers,
  })
  const firstTokens = new Histogram({
    name: 'model_first_token_seconds',
    help: 'Time until the first token of a reply, retries included',
    labelNames: ['provider', 'model'],
    buckets: BUCKETS,
    registers,
  })
  const tokens = new Counter({
    name: 'model_tokens_total',
    help: 'Tokens of whole replies as the providers count them, by direction (in, out)',
    labelNames: ['provider', 'model', 'direction'],
    registers,
  })
  const retries = new Counter({
    name: 'model_retries_total',
    help: 'Calls of models that were sent again',
    labelNames: ['provider'],
    registers,
  })
  return ({ duration, firstToken, model, outcome, provider, retries: again, usage }) => {
    replies.observe({ provider, model, outcome }, duration / 1000)
    if (firstToken !== undefined) firstTokens.observe({ provider, model }, firstToken / 1000)
    if (again > 0) retries.inc({ provider }, again)
    if (!usage) return
    tokens.inc({ provider, model, direction: 'in' }, usage.input)
    tokens.inc({ provider, model, direction: 'out' }, usage.output)
  }
}
