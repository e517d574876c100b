/** How a run ends when nothing goes wrong: the same flow and input, in this process, with no store on any disk. */
import { FlowRuntime, type RunResult } from '@baton/core'
import type { Started } from './load.ts'

/** An end without what may differ: the run's id, stacks. */
export type End = { readonly status: string; readonly [member: string]: unknown }

export class Oracle {
  readonly #known = new Map<string, Promise<End>>()

  /** The end of a run that nobody calls off. */
  ask({ kind, input }: Started): Promise<End> {
    const question = `${kind.flow.toBlueprint().id} ${input}`
    const known = this.#known.get(question) ?? run(kind, input)
    this.#known.set(question, known)
    return known
  }
}

async function run({ flow, begin, decide }: Started['kind'], input: number): Promise<End> {
  await using runtime = new FlowRuntime()
  if (begin === undefined && decide === undefined) {
    const result = await runtime.run(flow, input)
    if (result.status === 'paused') throw new Error(`${flow.toBlueprint().id} waits for what nobody brings`)
    return endOf(result)
  }
  const handle = await runtime.start(flow, input)
  await begin?.(handle, input)
  for await (const { type } of handle.stream()) if (type === 'run-paused') await decide?.(handle, input)
  return endOf(await handle.outcome())
}

export function endOf(result: RunResult): End {
  switch (result.status) {
    case 'completed':
      return { status: result.status, output: result.output }
    case 'failed':
      return { status: result.status, name: result.error.name, message: result.error.message }
    case 'cancelled':
      return { status: result.status, reason: result.reason }
  }
}
