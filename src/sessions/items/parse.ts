import { TypeCompiler } from '@sinclair/typebox/compiler'
import { faulty } from '../../context/request/faults.ts'
import { type Fault, invalid, ServiceError } from '../../core/errors.ts'
import { createPace, measureTokens } from '../../core/tokens.ts'
import { type Item, ItemInput, identityOf, shownOf } from './item.ts'

export const MOST_ITEMS = 1_000
const MOST_FAULTS = 20
const check = TypeCompiler.Compile(ItemInput)

/** Items by what they are about; of two about the same the later one counts, in the earlier one's place. */
export type Items = ReadonlyMap<string, Item>

/**
 * Reads the items that a caller sends, and counts their tokens without holding others up.
 * @throws ServiceError `invalid_request`, `payload_too_large`
 */
export async function parseItems(input: unknown): Promise<Items> {
  if (!Array.isArray(input)) throw invalid('', 'must be an array of items: [{"type", "content"}]')
  if (input.length > MOST_ITEMS) {
    throw new ServiceError(
      'payload_too_large',
      `${input.length} items are more than the ${MOST_ITEMS} that one request may add. Send them in several requests.`,
    )
  }
  const faults = faultsIn(input)
  const [first] = faults
  if (first) {
    throw new ServiceError('invalid_request', `${first.pointer}: ${first.message}`, {
      errors: faults,
    })
  }
  const pace = createPace()
  const items = new Map<string, Item>()
  for (const [index, each] of (input as ItemInput[]).entries()) {
    items.set(...(await readItem(each, index, pace)))
  }
  return items
}

async function readItem(
  input: ItemInput,
  index: number,
  pace: ReturnType<typeof createPace>,
): Promise<[key: string, item: Item]> {
  try {
    const tokens = await measureTokens(shownOf(input), pace)
    return [identityOf(input), { ...input, tokens }]
  } catch (error) {
    // JSON.stringify's stack is smaller than JSON.parse's.
    if (error instanceof RangeError) throw invalid(`/${index}/content`, 'is nested too deep')
    throw error
  }
}

function faultsIn(input: readonly unknown[]): Fault[] {
  const faults: Fault[] = []
  for (const [index, item] of input.entries()) {
    if (check.Check(item)) continue
    faults.push(...(faulty(check, ItemInput, item, `/${index}`, 'an item').errors ?? []))
    if (faults.length >= MOST_FAULTS) break
  }
  return faults
}
