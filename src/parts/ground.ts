import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config.ts'
import type { Tracer } from '../core/trace.ts'
import { NAME, VERSION } from '../package.ts'
import { createRedisService, type RedisService } from '../redis/redis.ts'
import { startTracing } from '../tracing/tracing.ts'

/** Milliseconds that the start waits for Redis. */
const REDIS_PATIENCE = 1_000

/** What every part stands on. */
export interface Ground {
  readonly config: Config
  readonly logger: FastifyBaseLogger
  /** Epoch milliseconds, the same on all replicas where Redis tells them. */
  readonly now: () => number
  readonly random: () => number
  /** Aborted when the process closes. */
  readonly closing: AbortSignal
  /** Absent where none is configured. */
  readonly redis: RedisService | undefined
  /** How this service calls itself to others. */
  readonly userAgent: string
  /** Absent where traces go nowhere. */
  readonly tracer: Tracer | undefined
}

export async function createGround(
  config: Config,
  logger: FastifyBaseLogger,
  closing: AbortSignal,
): Promise<Ground> {
  const redis = await connect(config, logger)
  const tracer = await tracerOf(config, logger)
  return {
    config,
    logger,
    now: redis?.now ?? Date.now,
    random: Math.random,
    closing,
    redis,
    userAgent: `${NAME}/${VERSION}`,
    tracer,
  }
}

async function connect(
  { REDIS_TIMEOUT_MS: patience, REDIS_URL: url }: Config,
  logger: FastifyBaseLogger,
): Promise<RedisService | undefined> {
  if (!url) return undefined
  const redis = createRedisService({
    url,
    patience,
    now: Date.now,
    onChange: (available) =>
      logger.warn(available ? 'Redis is back' : 'Redis is left alone until it answers again'),
  })
  await redis.ready(REDIS_PATIENCE)
  return redis
}

async function tracerOf(config: Config, logger: FastifyBaseLogger): Promise<Tracer | undefined> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = config
  if (endpoint === undefined) return undefined
  return startTracing({
    endpoint,
    headers: Object.fromEntries(config.OTEL_EXPORTER_OTLP_HEADERS),
    attributes: Object.fromEntries(config.OTEL_RESOURCE_ATTRIBUTES),
    serviceName: config.OTEL_SERVICE_NAME,
    version: VERSION,
    sampler: config.OTEL_TRACES_SAMPLER,
    ratio: config.OTEL_TRACES_SAMPLER_ARG,
    onChange(reason) {
      if (reason === undefined) logger.warn('traces are delivered again')
      else logger.warn({ reason }, 'traces cannot be delivered, and are lost until they can')
    },
  })
}
