import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'

const LOGGER = JSON.stringify(new URL('../src/logger.ts', import.meta.url).href)

/** Messages on the stdout of a process that runs `code` with a `logger`. */
async function messagesOf(code: string): Promise<readonly string[]> {
  const script = `import { createLogger } from ${LOGGER}\nconst logger = createLogger('info')\n${code}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  const lines = text.split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => JSON.parse(line).msg)
}

describe('the logger', () => {
  it.each([
    ['has nothing left to do', ''],
    ['says that it ends', 'process.exit(0)'],
    ['breaks', "throw new Error('broken')"],
  ])('loses no line where the process %s', async (_how, end) => {
    expect(await messagesOf(`logger.info('one'); logger.info('two')\n${end}`)).toEqual([
      'one',
      'two',
    ])
  })

  it('writes at once what comes before an end by force', async () => {
    const code = `logger.info('one'); logger.fatal('two'); process.kill(process.pid, 'SIGKILL')`
    expect(await messagesOf(code)).toEqual(['one', 'two'])
  })

  it('writes a single line soon', async () => {
    const code = `logger.info('one'); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1_000)`
    expect(await messagesOf(code)).toEqual(['one'])
  })

  it('keeps the order of many lines of all sizes', async () => {
    const code = `for (let i = 0; i < 2_000; i += 1) logger.info({ pad: 'ü'.repeat(i % 300) }, String(i))`
    expect(await messagesOf(code)).toEqual(Array.from({ length: 2_000 }, (_, i) => String(i)))
  })
})
