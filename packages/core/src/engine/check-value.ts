/** Holds a value against a schema. What the schema makes of it (defaults, transforms) is what counts from there on. */
import { BatonError } from '../model/errors.ts'
import { issuePath, type StandardIssue, type StandardResult, type StandardSchemaV1 } from '../model/standard-schema.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import { isPromise } from './node-return.ts'

/**
 * At once where the schema answers at once. Throws `INVALID_VALUE`, which no retry can help.
 *
 * @param place what the value is, for the error: `input`, `charge.output`
 */
export function checkValue(schema: StandardSchemaV1, value: unknown, place: string): Awaitable<unknown> {
  const result = schema['~standard'].validate(value)
  return isPromise(result)
    ? (result as Promise<StandardResult<unknown>>).then((later) => resultOf(later, place))
    : resultOf(result as StandardResult<unknown>, place)
}

/** The input of a new run. A schema that throws has refused it as well: nothing may be written. */
export async function checkRunInput(schema: StandardSchemaV1, input: unknown): Promise<unknown> {
  try {
    return await checkValue(schema, input, 'input')
  } catch (thrown) {
    if (BatonError.is(thrown, 'INVALID_VALUE')) throw thrown
    const message = `its schema threw: ${thrown instanceof Error ? thrown.message : 'something that is no error'}`
    throw new BatonError('INVALID_VALUE', { field: 'input', message, cause: thrown })
  }
}

function resultOf(result: StandardResult<unknown>, place: string): unknown {
  if (result.issues === undefined) return result.value
  const [first = NO_REASON, ...others] = result.issues
  const more = others.slice(0, MOST_TOLD).map((issue) => `${issuePath(place, issue)}: ${told(issue)}`)
  if (others.length > MOST_TOLD) more.push(`and ${others.length - MOST_TOLD} more`)
  throw new BatonError('INVALID_VALUE', {
    field: issuePath(place, first),
    message: [told(first), ...more].join('; '),
    hint: 'It does not fit the schema that the flow gives for it.',
  })
}

const NO_REASON: StandardIssue = { message: 'refused without a reason' }
/** A list of ten thousand wrong items is told by the first of them. */
const MOST_TOLD = 20
const MOST_CHARACTERS = 300

function told({ message }: StandardIssue): string {
  const text = String(message)
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text
}
