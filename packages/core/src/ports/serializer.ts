/**
 * The two-way door between what node code handles and what a store keeps.
 *
 * Inputs, outputs, step results, signals and context values are kept *encoded*: journal, deltas, stores and adapters
 * see `JsonValue` and nothing else, and never call a serializer. The engine encodes what code hands in and decodes
 * what code asks for. `JsonSerializer` is the default. Compression and encryption plug in here: wrap it, and let
 * `encode` turn its JSON into a text. All processes that share a run must be able to decode what any of them encodes.
 *
 * What an implementation has to know:
 * - Deltas reach into encoded values. `increment` adds plain numbers, `append` and `merge` encode each item and member
 *   by itself, and a path walks through plain arrays and objects. So `decode` must let plain JSON pass that it did not
 *   produce, with encoded values anywhere inside; and a serializer that hides the shape of a value gives up these
 *   operations on it (they fail with `DELTA_CONFLICT`).
 * - An encoded object with an own member `$baton` is one value: no path leads into it. Tag what must stay whole.
 */
import type { JsonValue } from '../model/json.ts'

export interface ISerializer {
  /**
   * The value as the store keeps it, sharing nothing with it: later changes to the value change nothing that is kept.
   * Throws `INVALID_VALUE` or `FORBIDDEN_KEY` for what cannot be kept.
   *
   * @param field where the value stands, e.g. `output`; errors name the path from there: `output.items[3].callback`
   */
  encode(value: unknown, field: string): JsonValue

  /** The value again, a new copy at every call. Throws `INVALID_VALUE` for what no `encode` of this kind can give. */
  decode(json: JsonValue): unknown
}
