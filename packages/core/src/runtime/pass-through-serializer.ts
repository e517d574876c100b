import { assertEncodable } from '../context/json-serializer.ts'
import type { JsonValue } from '../model/json.ts'
import type { ISerializer } from '../ports/serializer.ts'

/**
 * For runs that never leave this process's memory: values pass as they are, uncopied. What a store would refuse is
 * refused all the same, so that a flow behaves alike with and without one.
 */
export const passThroughSerializer: ISerializer = {
  encode(value, field) {
    assertEncodable(value, field)
    return value as JsonValue
  },
  decode: (json) => json,
}
