import type { BatonClient, RunDeadLetter } from '@baton/core'

/** All of them, page after page. */
export async function* lettersOf(client: BatonClient, flowId: string | undefined): AsyncGenerator<RunDeadLetter> {
  const query = flowId === undefined ? {} : { flowId }
  let page = await client.deadLetters(query)
  for (;;) {
    yield* page.deadLetters
    if (page.cursor === undefined) return
    page = await client.deadLetters({ ...query, cursor: page.cursor })
  }
}
