import { describe, expect, it } from 'vitest'
import { createDoorkeeper } from '../../src/core/doorkeeper.ts'

const texts = Array.from({ length: 200 }, (_, at) => `text ${at}`)

describe('a doorkeeper', () => {
  it('knows what came before, and nothing else', () => {
    const cameBefore = createDoorkeeper(1 << 16)
    expect(texts.filter(cameBefore)).toEqual([])
    expect(texts.filter(cameBefore)).toEqual(texts)
    expect(texts.map((text) => `${text}!`).filter(cameBefore)).toEqual([])
  })

  it('forgets what others came after', () => {
    const cameBefore = createDoorkeeper(4)
    for (const text of texts) cameBefore(text)
    expect(texts.filter(cameBefore).length).toBeLessThan(8)
    expect(cameBefore('text 199')).toBe(true)
  })
})
