import { Counter, type Registry } from '@prometheus-io/client'
import { scraped, single } from './scraped.ts'
import type { MetricSources } from './sources.ts'

/** @returns told what became of each turn */
export function createSessionMetrics(
  registry: Registry,
  { sessions, sessionsAvailable }: MetricSources,
): (outcome: string) => void {
  const turns = new Counter({
    name: 'session_turns_total',
    help: 'Turns of sessions, by what became of them (ok, aborted, a problem code)',
    labelNames: ['outcome'],
    registers: [registry],
  })
  scraped(registry, {
    name: 'sessions_kept',
    help: 'Sessions that are kept, of all replicas; absent while the store does not tell',
    type: 'gauge',
    aggregator: 'max',
    read: async () => single(await sessions()),
  })
  scraped(registry, {
    name: 'sessions_available',
    help: 'Whether sessions can be read and written: 1, or 0 while they answer 503',
    type: 'gauge',
    aggregator: 'min',
    read: () => single(sessionsAvailable()),
  })
  return (outcome) => turns.inc({ outcome })
}
