import type { ContextEntry, ContextSource, RunState } from '@baton/core/adapter'
import { copyOf } from './copy.ts'

/** A run's context as it is when somebody asks: copies, so that nobody writes into what the store keeps. */
export function storedContext(read: () => Promise<RunState>): ContextSource {
  return {
    read: async (keys) => {
      const { context } = await read()
      const found = new Map<string, ContextEntry>()
      for (const key of keys) {
        const entry = context.get(key)
        if (entry !== undefined) found.set(key, copyOf(entry))
      }
      return found
    },
    readAll: async () => new Map(Array.from((await read()).context, ([key, entry]) => [key, copyOf(entry)])),
  }
}
