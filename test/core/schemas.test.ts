import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { describe, expect, it } from 'vitest'
import { IssueNumber, Owner, Repo, Timestamp } from '../../src/core/schemas.ts'

function sorted(schema: TSchema, values: readonly unknown[]) {
  const check = TypeCompiler.Compile(schema)
  return {
    good: values.filter((value) => check.Check(value)),
    bad: values.filter((value) => !check.Check(value)),
  }
}

describe('names', () => {
  it('of accounts are those that GitHub gives', () => {
    const good = ['a', 'octocat', 'my-org', 'A1', 'user_corp', '0x', 'a'.repeat(39)]
    const bad = [
      '',
      '-a',
      'a-',
      'a--b',
      'a/b',
      'a.b',
      '..',
      'a b',
      'ä',
      'a\n',
      'a%2f',
      'a'.repeat(40),
    ]
    expect(sorted(Owner, [...good, ...bad])).toEqual({ good, bad })
  })

  it('of repositories are those that GitHub gives, and never lead up', () => {
    const good = ['a', 'Hello-World', '.github', 'a.b', '_', '-', '...', 'a..b', 'a'.repeat(100)]
    const bad = [
      '',
      '.',
      '..',
      'a/b',
      'a b',
      'ü',
      'a\n',
      '..\n',
      'a?b',
      'a#b',
      'a%',
      'a'.repeat(101),
    ]
    expect(sorted(Repo, [...good, ...bad])).toEqual({ good, bad })
  })
})

describe('values', () => {
  it('are numbers that GitHub can give', () => {
    const good = [1, 2_147_483_647]
    const bad = [0, -1, 1.5, 2_147_483_648, '1', null, Number.NaN]
    expect(sorted(IssueNumber, [...good, ...bad])).toEqual({ good, bad })
  })

  it('are times as GitHub writes and takes them', () => {
    const good = ['2026-01-31T00:00:00Z', '2026-01-31T00:00:00.123Z', '2026-01-31T00:00:00+02:00']
    const bad = ['2026-01-31', 'yesterday', '2026-01-31 00:00:00Z', '2026-01-31T00:00:00', '']
    expect(sorted(Timestamp, [...good, ...bad])).toEqual({ good, bad })
  })
})
