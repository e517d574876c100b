/** What is not over yet, of runs that nobody has a handle for as well: children, runs of schedules, and slots. */
import type { RunSummary } from '@baton/core'
import type { Ports } from './backend.ts'

/** Each as a text that changes when anything happens to it. Empty when everything has come to rest. */
export async function leftovers({ store }: Ports): Promise<readonly string[]> {
  const left: string[] = []
  for await (const { runId, kind, status, seq } of allRuns({ store }, ['pending', 'running', 'paused', 'cancelling'])) {
    if (kind !== 'limiter') left.push(`${runId} ${status} ${seq}`)
    else {
      const { held = [], waiting = [] } = (await store.load(runId))?.limiter ?? {}
      if (held.length + waiting.length > 0) left.push(`${runId} ${seq}`)
    }
  }
  return left
}

/** Every run of the store, or those of some status, page by page. */
export async function* allRuns(
  { store }: Pick<Ports, 'store'>,
  status?: readonly RunSummary['status'][],
): AsyncGenerator<RunSummary> {
  let cursor: string | undefined
  do {
    const page = await store.list({
      limit: 200,
      ...(status === undefined ? {} : { status }),
      ...(cursor === undefined ? {} : { cursor }),
    })
    yield* page.runs
    cursor = page.cursor
  } while (cursor !== undefined)
}
