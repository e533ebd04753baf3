import { Cluster, Redis, type RedisOptions } from 'ioredis'

export type RedisClient = Redis | Cluster

/**
 * Settings for a cache that must never hold a request up: ioredis' own would queue commands for
 * seconds while Redis is away. Nor do commands go in its automatic pipelines, whose price is more than
 * that of a write for each command: every pipeline has a getter of its own, by which all that hangs on
 * its commands lives until V8 looks through the whole heap (see `createQueue`).
 */
const FAIL_FAST = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  // Only clears away what a hung server never answered; requests stop waiting long before (guarded.ts).
  commandTimeout: 2_000,
  connectTimeout: 500,
  autoResendUnfulfilledCommands: false,
  retryStrategy: (attempt) => Math.min(100 * attempt, 1_000),
} satisfies RedisOptions

/** Subscriptions have a connection of their own, which waits as long as it takes. */
const SUBSCRIBER = {
  ...FAIL_FAST,
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  // The bus does so; where ioredis does and is closed meanwhile, nobody hears the failure, and Node ends the process.
  autoResubscribe: false,
} satisfies RedisOptions
// A subscription without traffic is not a failed command.
const { commandTimeout: _none, ...SUBSCRIBER_OPTIONS } = SUBSCRIBER

/**
 * For what must be written rather than soon given up: nothing is queued or sent twice behind the
 * caller's back, as a command that was given up must not be carried out later. Waiting and asking
 * again are patient.ts' own.
 */
const PATIENT = {
  ...FAIL_FAST,
  commandTimeout: 10_000,
  connectTimeout: 1_000,
} satisfies RedisOptions

export interface RedisConnections {
  readonly commands: RedisClient
  readonly subscriber: RedisClient
  close(): void
}

/**
 * Connects to one Redis, or to a Cluster where `url` is a comma-separated list of its nodes.
 * Connecting goes on in the background for ever; nothing here throws because Redis is away.
 */
export function connectRedis(url: string): RedisConnections {
  const commands = connect(url, FAIL_FAST)
  const subscriber = connectSubscriber(url)
  // Failures show where commands fail; without a listener they would end the process.
  commands.on('error', () => {})
  subscriber.on('error', () => {})
  return {
    commands,
    subscriber,
    close() {
      commands.disconnect()
      subscriber.disconnect()
    },
  }
}

/** A connection for `patientRedis` alone: slow commands of others do not delay it. */
export function connectPatient(url: string): RedisClient {
  const client = connect(url, PATIENT)
  client.on('error', () => {})
  return client
}

/**
 * A Cluster passes every message on to all its nodes, so one of them will do; when it goes, the next.
 * (The Cluster client's own subscriber does not tell when it was lost.)
 */
function connectSubscriber(url: string): Redis {
  const nodes = url.split(',').map((node) => new URL(node.trim()))
  let turn = 0
  const subscriber = new Redis((nodes[0] as URL).href, SUBSCRIBER_OPTIONS)
  subscriber.on('close', () => {
    turn += 1
    const { hostname, port } = nodes[turn % nodes.length] as URL
    Object.assign(subscriber.options, { host: hostname, port: Number(port || 6379) })
  })
  return subscriber
}

function connect(url: string, options: RedisOptions): RedisClient {
  const nodes = url.split(',').map((node) => node.trim())
  const [only] = nodes
  if (nodes.length === 1 && only !== undefined) return new Redis(only, options)
  const { username, password, protocol } = new URL(nodes[0] ?? '')
  const { enableOfflineQueue, ...redisOptions } = options
  return new Cluster(nodes, {
    enableOfflineQueue: enableOfflineQueue ?? true,
    clusterRetryStrategy: (attempt) => Math.min(100 * attempt, 1_000),
    slotsRefreshTimeout: 1_000,
    redisOptions: {
      ...redisOptions,
      ...(username ? { username: decodeURIComponent(username) } : {}),
      ...(password ? { password: decodeURIComponent(password) } : {}),
      ...(protocol === 'rediss:' ? { tls: {} } : {}),
    },
  })
}
