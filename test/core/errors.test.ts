import { describe, expect, it } from 'vitest'
import { invalid, problems, ServiceError } from '../../src/core/errors.ts'
import { nearest } from '../../src/core/nearest.ts'

describe('problems', () => {
  it('have the statuses of the contract', () => {
    const statuses = Object.fromEntries(
      Object.entries(problems).map(([code, { status }]) => [code, status]),
    )
    expect(statuses).toMatchObject({
      invalid_request: 400,
      unknown_context_type: 400,
      unauthorized: 401,
      forbidden: 403,
      not_found: 404,
      payload_too_large: 413,
      unsupported_media_type: 415,
      rate_limited: 429,
      upstream_rate_limited: 503,
      upstream_auth: 502,
      upstream_forbidden: 403,
      upstream_error: 502,
      upstream_unreachable: 502,
      upstream_timeout: 504,
      overloaded: 503,
      internal_error: 500,
    })
  })

  it('have codes in snake case and titles that differ', () => {
    for (const code of Object.keys(problems)) expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
    const titles = Object.values(problems).map(({ title }) => title)
    expect(new Set(titles).size).toBe(titles.length)
  })
})

describe('ServiceError', () => {
  it('carries what a caller may know, and its cause apart', () => {
    const cause = new Error('inner')
    const error = new ServiceError('upstream_error', 'Try again.', { retryAfter: 5, cause })
    expect(error).toMatchObject({ code: 'upstream_error', statusCode: 502, retryAfter: 5, cause })
    expect(error.message).toBe('Try again.')
  })

  it('names the place of a fault', () => {
    expect(invalid('/params/owner', 'is odd')).toMatchObject({
      code: 'invalid_request',
      detail: '/params/owner: is odd',
      errors: [{ pointer: '/params/owner', message: 'is odd' }],
    })
    expect(invalid('', 'is odd').detail).toBe('The request: is odd')
  })
})

describe('nearest', () => {
  const names = ['issue_number', 'max_comments', 'owner', 'repo']
  it.each([
    ['isue_number', 'issue_number'],
    ['ISSUE_NUMBER', 'issue_number'],
    ['issueNumber', 'issue_number'],
    ['ownr', 'owner'],
    ['rep', 'repo'],
    ['', undefined],
    ['completely_else_altogether', undefined],
  ])('%j is meant as %j', (name, expected) => {
    expect(nearest(name, names)).toBe(expected)
  })

  it('has no answer among none', () => {
    expect(nearest('owner', [])).toBeUndefined()
  })
})
