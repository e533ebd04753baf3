import { Redis } from 'ioredis'

/** Every key of a Redis with all that it holds, as one text: for what must not be in there. */
export async function redisContents(url: string): Promise<string> {
  const client = new Redis(url)
  try {
    const keys = await client.keys('*')
    const values = await Promise.all(keys.map((key) => contentOf(client, key)))
    return keys.map((key, index) => `${key}\n${values[index]}`).join('\n')
  } finally {
    client.disconnect()
  }
}

async function contentOf(client: Redis, key: string): Promise<string> {
  switch (await client.type(key)) {
    case 'string':
      return (await client.getBuffer(key))?.toString('latin1') ?? ''
    case 'hash':
      return JSON.stringify(await client.hgetall(key))
    case 'zset':
      return (await client.zrange(key, '0', '-1')).join('\n')
    case 'set':
      return (await client.smembers(key)).join('\n')
    case 'list':
      return (await client.lrange(key, 0, -1)).join('\n')
    case 'none':
      return ''
    default:
      throw new Error(`Cannot read ${key}`)
  }
}
