/**
 * The context of a run as seen from outside, `store.context(runId)`. Every read is fresh, unlike in a node, where it
 * holds for the attempt. There is no way into a run but a commit, so the writers reject.
 */
import { checkKey } from '../model/delta.ts'
import { BatonError } from '../model/errors.ts'
import type { ContextSource, IAsyncContext } from '../ports/async-context.ts'
import type { ISerializer } from '../ports/serializer.ts'

export interface ReadOnlyContextOptions {
  readonly source: ContextSource
  readonly serializer: ISerializer
}

export class ReadOnlyContext implements IAsyncContext {
  readonly #source: ContextSource
  readonly #serializer: ISerializer

  constructor({ source, serializer }: ReadOnlyContextOptions) {
    this.#source = source
    this.#serializer = serializer
  }

  async get<T = unknown>(key: string): Promise<T | undefined> {
    checkKey(key, 'context')
    const entry = (await this.#source.read([key])).get(key)
    return entry === undefined ? undefined : (this.#serializer.decode(entry.value) as T)
  }

  async getMany<T extends object = Record<string, unknown>>(keys: readonly (keyof T & string)[]): Promise<Partial<T>> {
    for (const key of keys) checkKey(key, 'context')
    const entries = await this.#source.read(keys)
    const found: [string, unknown][] = []
    for (const key of keys) {
      const entry = entries.get(key)
      if (entry !== undefined) found.push([key, this.#serializer.decode(entry.value)])
    }
    return Object.fromEntries(found) as Partial<T>
  }

  async has(key: string): Promise<boolean> {
    return (await this.version(key)) > 0
  }

  async version(key: string): Promise<number> {
    checkKey(key, 'context')
    return (await this.#source.read([key])).get(key)?.version ?? 0
  }

  async toJSON(): Promise<Record<string, unknown>> {
    const entries = await this.#source.readAll()
    return Object.fromEntries(Array.from(entries, ([key, { value }]) => [key, this.#serializer.decode(value)]))
  }

  set(): Promise<void> {
    return refuse('set')
  }

  delete(): Promise<void> {
    return refuse('delete')
  }

  increment(): Promise<void> {
    return refuse('increment')
  }

  append(): Promise<void> {
    return refuse('append')
  }

  merge(): Promise<void> {
    return refuse('merge')
  }

  patch(): Promise<void> {
    return refuse('patch')
  }
}

async function refuse(method: string): Promise<never> {
  throw new BatonError('INVALID_OPTION', {
    field: `context.${method}`,
    message: 'the context got from a store is read-only',
    hint: 'Write through the context that a node is handed; from outside, send the run a signal that a node waits for.',
  })
}
