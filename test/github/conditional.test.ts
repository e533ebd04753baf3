import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type Current, fetchConditionally } from '../../src/github/conditional.ts'
import type { Credential } from '../../src/github/credentials.ts'
import type { Exchange } from '../../src/github/exchange.ts'
import { createMemoryResources } from '../../src/github/resources.ts'
import { computeTag, createTagDrift } from '../../src/github/validators.ts'

const accept = 'application/vnd.github+json'
const NEXT = '<https://api.github.com/x?page=2>; rel="next"'

interface Said {
  readonly body: string
  /** By the recipe unless given. */
  readonly tag?: string
  readonly link?: string
  readonly zipped?: true
}

/** GitHub with one resource, which answers each token as `says` tells. */
function setUp() {
  const resources = createMemoryResources(1_000_000)
  const drift = createTagDrift(() => 0)
  const asked: (string | undefined)[] = []
  const says = new Map<string, Said>()
  let unasked304 = false

  function send(token: string, headers: Record<string, string>): Exchange {
    const { body, tag, link, zipped } = says.get(token) ?? { body: 'null' }
    const etag = tag ?? `"${computeTag({ accept, authorization: token }, Buffer.from(body))}"`
    const given = headers['if-none-match']
    asked.push(given)
    const unchanged = unasked304 || given === etag
    return {
      status: unchanged ? 304 : 200,
      headers: { etag, ...(link === undefined ? {} : { link }) },
      body: Buffer.from(unchanged ? '' : body),
      ...(zipped && !unchanged && { gzip: gzipSync(body) }),
      redirects: 0,
    }
  }

  async function get(principal: string, token: string): Promise<Current & { text: string }> {
    const credential: Credential = {
      principal,
      anonymous: false,
      from: 'service',
      authorization: async () => token,
    }
    const current = await fetchConditionally(
      { resources, drift },
      {
        name: '/x',
        accept,
        credential,
        authorization: token,
        send: async (headers) => send(token, headers),
      },
    )
    return { ...current, text: current.body.toString() }
  }

  return {
    asked,
    get,
    resources,
    says,
    answer304() {
      unasked304 = true
    },
    /** GitHub is found to make its tags in another way. */
    drifted(principal: string) {
      const tag = { sent: '"another"', input: { accept, authorization: 'x' }, body: Buffer.of() }
      for (let count = 0; count < 10; count += 1) drift.compare(principal, tag)
    },
  }
}

describe('a conditional request', () => {
  it('confirms what came zipped, which is kept so, and is unconditional where that cannot be read', async () => {
    const { asked, get, resources, says } = setUp()
    says.set('t1', { body: '[1]', zipped: true })
    expect(await get('ann', 't1')).toMatchObject({ text: '[1]', unchanged: false })
    const kept = (await resources.find('ann', '/x'))?.resource
    expect(kept).toMatchObject({ body: gzipSync('[1]'), zipped: true })
    expect(await get('ann', 't1')).toMatchObject({ text: '[1]', unchanged: true })
    if (kept) await resources.keep('ann', '/x', { ...kept, body: Buffer.from('spoilt') })
    expect(await get('ann', 't1')).toMatchObject({ text: '[1]', unchanged: false })
    expect(asked.map((tag) => tag !== undefined)).toEqual([false, true, false])
  })

  it('is unconditional at first, then confirms the body at no cost', async () => {
    const { asked, get, says } = setUp()
    says.set('t1', { body: '[1]' })
    expect(await get('ann', 't1')).toMatchObject({ text: '[1]', unchanged: false })
    expect(await get('ann', 't1')).toMatchObject({ text: '[1]', unchanged: true })
    says.set('t1', { body: '[2]' })
    expect(await get('ann', 't1')).toMatchObject({ text: '[2]', unchanged: false })
    expect(asked[0]).toBeUndefined()
    expect(asked[1]).toBeDefined()
  })

  it('confirms the body after a rotation, and another’s by one’s own credential', async () => {
    const { get, says } = setUp()
    for (const token of ['t1', 't2', 'other']) says.set(token, { body: '[1]' })
    await get('ann', 't1')
    expect(await get('ann', 't2')).toMatchObject({ text: '[1]', unchanged: true })
    expect(await get('bob', 'other')).toMatchObject({ text: '[1]', unchanged: true })
  })

  it('never gives another’s body where GitHub would send other bytes', async () => {
    const { get, says } = setUp()
    says.set('t1', { body: '["for ann"]' })
    says.set('other', { body: '["for bob"]' })
    await get('ann', 't1')
    expect(await get('bob', 'other')).toMatchObject({ text: '["for bob"]', unchanged: false })
    expect(await get('ann', 't1')).toMatchObject({ text: '["for ann"]', unchanged: true })
  })

  it('sends a stored tag to nobody but the credential that it came to', async () => {
    const { asked, drifted, get, says } = setUp()
    drifted('ann')
    drifted('bob')
    // One tag for all, as of a server that counts versions.
    for (const token of ['t1', 't2', 'other']) says.set(token, { body: `["${token}"]`, tag: '"7"' })
    await get('ann', 't1')
    expect(await get('ann', 't1')).toMatchObject({ text: '["t1"]', unchanged: true })
    expect(await get('bob', 'other')).toMatchObject({ text: '["other"]', unchanged: false })
    expect(await get('ann', 't2')).toMatchObject({ text: '["t2"]', unchanged: false })
    expect(asked).toEqual([undefined, '"7"', undefined, undefined])
  })

  it('takes no 304 that it did not ask for', async () => {
    const { answer304, drifted, get, says } = setUp()
    drifted('bob')
    says.set('t1', { body: '["for ann"]' })
    await get('ann', 't1')
    answer304()
    const unasked = await get('bob', 'other').catch(() => undefined)
    expect(unasked?.text).not.toBe('["for ann"]')
  })
})

it('goes by when a tag was sent, not by when it is compared', () => {
  let now = 0
  const drift = createTagDrift(() => now)
  const tag = { sent: '"another"', input: { accept, authorization: 'x' }, body: Buffer.of() }
  const send = (count: number) => {
    for (let tags = 0; tags < count; tags += 1) drift.compare('ann', tag)
  }
  send(9)
  now = 70_000
  send(1)
  expect(drift.trusted('ann')).toBe(true)
  send(9)
  expect(drift.trusted('ann')).toBe(false)
  expect(drift.trusted('bob')).toBe(true)
})

describe('where a list goes on', () => {
  it('is kept with the body', async () => {
    const { get, says } = setUp()
    says.set('t1', { body: '[1]', link: NEXT })
    await get('ann', 't1')
    expect(await get('ann', 't1')).toMatchObject({ link: NEXT, unchanged: true })
  })

  it('is told anew by a 304: a full first page does not change when a second begins', async () => {
    const { get, says } = setUp()
    says.set('t1', { body: '[1]' })
    expect((await get('ann', 't1')).link).toBeUndefined()
    says.set('t1', { body: '[1]', link: NEXT })
    expect(await get('ann', 't1')).toMatchObject({ link: NEXT, unchanged: true })
  })

  it('is told to another credential by its own 304', async () => {
    const { get, says } = setUp()
    says.set('t1', { body: '[1]', link: NEXT })
    says.set('other', { body: '[1]', link: NEXT.replace('page=2', 'page=3') })
    await get('ann', 't1')
    const link = NEXT.replace('page=2', 'page=3')
    expect(await get('bob', 'other')).toMatchObject({ text: '[1]', link, unchanged: true })
  })

  it('is never another’s: a tag proves bytes, and no headers', async () => {
    const { get, says } = setUp()
    says.set('t1', { body: '[1]', link: NEXT })
    says.set('other', { body: '[1]' })
    await get('ann', 't1')
    const { link, text, unchanged } = await get('bob', 'other')
    expect({ link, text, unchanged }).toEqual({ link: undefined, text: '[1]', unchanged: false })
  })
})
