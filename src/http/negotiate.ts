import { ServiceError } from '../core/errors.ts'

/**
 * The representation that `Accept` prefers; JSON where it does not care (RFC 9110, section 12.5.1).
 * @throws ServiceError `not_acceptable`
 */
export function negotiate<const T extends string>(
  accept: string | undefined,
  offered: readonly ['application/json', ...T[]],
): T | 'application/json' {
  if (accept === undefined || accept === '*/*' || accept === 'application/json')
    return 'application/json'
  const ranges = accept.split(',').map(parseRange)
  let best: { type: T | 'application/json'; quality: number } | undefined
  for (const type of offered) {
    const quality = qualityOf(type, ranges)
    if (quality > (best?.quality ?? 0)) best = { type, quality }
  }
  if (best) return best.type
  throw new ServiceError('not_acceptable', `Accept can be ${offered.join(' or ')}.`)
}

interface Range {
  readonly range: string
  readonly quality: number
}

function parseRange(text: string): Range {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const quality = parameters.find((parameter) => parameter.startsWith('q='))
  return { range, quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0 }
}

/** The most specific range decides. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const family = `${type.split('/')[0]}/*`
  for (const candidate of [type, family, '*/*']) {
    const found = ranges.find(({ range }) => range === candidate)
    if (found) return found.quality
  }
  return 0
}
