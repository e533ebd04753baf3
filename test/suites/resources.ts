import { describe, expect, it } from 'vitest'
import { LARGEST_KEPT, type Resource, type ResourceStore } from '../../src/github/resources.ts'

export interface TestedResources extends AsyncDisposable {
  readonly store: ResourceStore
}

export function resourceOf(body: string | Buffer, change: Partial<Resource> = {}): Resource {
  return {
    body: Buffer.from(body as string),
    zipped: false,
    tag: '"tag"',
    tagFor: 'for',
    link: undefined,
    ...change,
  }
}

const REPO = 'https://api.github.com 2022-11-28 application/json /repos/o/r'

/** What every store of GitHub's bodies must do; `create` gives an empty one. */
export function resourcesSuite(name: string, create: () => Promise<TestedResources>): void {
  describe(`${name} as a store of resources`, () => {
    it('gives back what was put in, to the byte, and says that it is one’s own', async () => {
      await using tested = await create()
      const resources = [
        resourceOf(''),
        resourceOf('{"title":"ü 🙂 \\u0000"}', {
          tag: 'W/"t"',
          link: '<x>; rel="next"',
          zipped: true,
        }),
        resourceOf(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))),
        resourceOf(Buffer.alloc(1_000_000, 'x')),
      ]
      for (const [index, resource] of resources.entries())
        await tested.store.keep('ann', `${REPO}/${index}`, resource)
      for (const [index, resource] of resources.entries())
        expect(await tested.store.find('ann', `${REPO}/${index}`)).toEqual({ resource, own: true })
    })

    it('knows nothing of what was never put in', async () => {
      await using tested = await create()
      await tested.store.keep('ann', REPO, resourceOf('{}'))
      expect(await tested.store.find('ann', `${REPO}/issues/1`)).toBeUndefined()
    })

    it('hints at what was said to another, and never calls it one’s own', async () => {
      await using tested = await create()
      await tested.store.keep('ann', REPO, resourceOf('for ann'))
      expect(await tested.store.find('bob', REPO)).toEqual({
        resource: resourceOf('for ann'),
        own: false,
      })
      await tested.store.keep('eve', REPO, resourceOf('for eve'))
      expect(await tested.store.find('bob', REPO)).toEqual({
        resource: resourceOf('for eve'),
        own: false,
      })
    })

    it('gives everyone his own, whatever was said to others since', async () => {
      await using tested = await create()
      const principals = ['ann', 'bob', 'eve']
      for (const principal of principals)
        await tested.store.keep(principal, REPO, resourceOf(`for ${principal}`))
      for (const principal of principals)
        expect(await tested.store.find(principal, REPO)).toEqual({
          resource: resourceOf(`for ${principal}`),
          own: true,
        })
    })

    it('has the new in the place of the old', async () => {
      await using tested = await create()
      await tested.store.keep('ann', REPO, resourceOf('old'))
      await tested.store.keep('ann', REPO, resourceOf('new', { tag: '"new"' }))
      expect(await tested.store.find('ann', REPO)).toEqual({
        resource: resourceOf('new', { tag: '"new"' }),
        own: true,
      })
    })

    it('does not keep what is too large', async () => {
      await using tested = await create()
      await tested.store.keep('ann', REPO, resourceOf(Buffer.alloc(LARGEST_KEPT + 1)))
      expect(await tested.store.find('ann', REPO)).toBeUndefined()
      await tested.store.keep('ann', REPO, resourceOf(Buffer.alloc(LARGEST_KEPT)))
      expect((await tested.store.find('ann', REPO))?.resource.body).toHaveLength(LARGEST_KEPT)
    })

    it('is used by many at once', async () => {
      await using tested = await create()
      const names = Array.from({ length: 100 }, (_, index) => `${REPO}/${index}`)
      await Promise.all(names.map((name) => tested.store.keep('ann', name, resourceOf(name))))
      const found = await Promise.all(names.map((name) => tested.store.find('ann', name)))
      expect(found.map((one) => one?.resource.body.toString())).toEqual(names)
    })
  })
}
