import { describe, expect, it } from 'vitest'
import { linesOfStep, readLog } from '../../../src/context/run/jobLog.ts'

const texts = (log: string) => readLog(log).map(({ text }) => text)
const T = '2026-01-01T00:00:0'

describe('readLog', () => {
  it('leaves out times and marks that only fold lines', () => {
    const log = [
      `${T}0.1234567Z ##[group]Run npm test`,
      `${T}0.2Z ##[command]npm test`,
      `${T}0.3Z ##[endgroup]`,
      'a line without a time  ',
      `${T}1.5Z\tindented`,
      `${T}2.0Z ##[warning]mind this`,
      `${T}2.0Z ##[error]Process completed with exit code 1.`,
      '',
      '',
    ].join('\n')
    expect(texts(log)).toEqual([
      'Run npm test',
      'npm test',
      'a line without a time',
      '\tindented',
      '##[warning]mind this',
      '##[error]Process completed with exit code 1.',
    ])
  })

  it('keeps blank lines within, and cuts lines without an end', () => {
    expect(texts(`${T}0Z a\n${T}0Z \n${T}0Z b\n`)).toEqual(['a', '', 'b'])
    expect(texts('x'.repeat(5_000))[0]).toHaveLength(1_002)
    expect(texts('')).toEqual([])
  })
})

describe('linesOfStep', () => {
  const log = readLog(
    [
      `${T}1.1Z setting up`,
      `${T}2.0Z Run test`,
      `${T}2.9Z working`,
      'and more',
      `${T}4.2Z ##[error]exit code 1.`,
      `${T}4.3Z Post job cleanup.`,
      `${T}6.0Z Cleaning up`,
    ].join('\n'),
  )

  it('are those written in its time, down to its last error', () => {
    expect(linesOfStep(log, { started_at: `${T}2Z`, completed_at: `${T}4Z` })).toEqual([
      'Run test',
      'working',
      'and more',
      '##[error]exit code 1.',
    ])
    expect(linesOfStep(log, { started_at: `${T}5Z`, completed_at: `${T}7Z` })).toEqual([
      'Cleaning up',
    ])
  })

  it('are all down to the last error where the times are not told', () => {
    expect(linesOfStep(log, { started_at: null }).at(-1)).toBe('##[error]exit code 1.')
    expect(linesOfStep(log, { started_at: `${T}2Z`, completed_at: null })).toHaveLength(4)
  })
})
