import type { ContextEntry } from '../model/delta.ts'
import type { RunState } from '../model/run-state.ts'
import type { ContextSource } from '../ports/async-context.ts'

/** A run's context as it is when somebody asks. Without the copies that a store makes: all of it stays in this process. */
export function localContext({ context }: RunState): ContextSource {
  return {
    read(keys) {
      const found = new Map<string, ContextEntry>()
      for (const key of keys) {
        const entry = context.get(key)
        if (entry !== undefined) found.set(key, entry)
      }
      return found
    },
    readAll: () => new Map(context),
  }
}
