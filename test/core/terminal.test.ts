import { describe, expect, it } from 'vitest'
import { asRead } from '../../src/core/terminal.ts'

describe('asRead', () => {
  it.each([
    ['\ufeffplain\n', 'plain\n'],
    ['\u001b[36;1mnpm test\u001b[0m', 'npm test'],
    ['\u001b]0;a title\u0007after', 'after'],
    ['\u001b]8;;https://example.com\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['\u001b[2K\u001b[1Ait', 'it'],
    ['\u001b(Bplain \u001b7kept', 'plain kept'],
    ['10 %\r50 %\r100 %\r\nnext\r\n', '100 %\nnext\n'],
    ['\u001b]no end of a title\nnext line', '\nnext line'],
    ['\r\r\n', '\n'],
    ['2026-01-01 a\tb', '2026-01-01 a\tb'],
  ])('%j', (text, expected) => {
    expect(asRead(text)).toBe(expected)
  })

  it('takes linear time', () => {
    const text = '\u001b[0;'.repeat(200_000) + '\u001b]'.repeat(200_000) + '\r'.repeat(200_000)
    const started = performance.now()
    asRead(text)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})
