import { expect, it } from 'vitest'
import { courseOf } from '../../bench/chaos/trend.ts'

const LIMIT = { times: 1.1, more: 2 }
const points = (of: (at: number) => number) => Array.from({ length: 120 }, (_, at) => of(at))

it('what stays the same is flat, whatever it did at first', () => {
  const course = courseOf(
    points((at) => (at < 30 ? at : 30 + (at % 2))),
    1_000,
    'x',
    LIMIT,
  )
  expect(course).toMatchObject({ flat: true, second: 30.5, last: 30.5 })
  expect(course.perMinute).toBeCloseTo(0, 0)
})

it('what grows is told, and by how much in a minute', () => {
  const course = courseOf(
    points((at) => 10 + at / 4),
    1_000,
    'x',
    LIMIT,
  )
  expect(course.flat).toBe(false)
  expect(course.perMinute).toBeCloseTo(15)
})

it('of what is collected now and then the lowest points count', () => {
  const saw = points((at) => 100 + (at % 10) * 20)
  expect(courseOf(saw, 1_000, 'lowest', LIMIT)).toMatchObject({ flat: true, second: 120 })
  const rising = points((at) => 100 + at + (at % 10) * 20)
  expect(courseOf(rising, 1_000, 'lowest', LIMIT).flat).toBe(false)
})
