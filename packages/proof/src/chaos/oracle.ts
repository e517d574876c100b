/** How a run ends when nothing goes wrong: the same flow and input, in this process, with no store on any disk. */
import { FlowRuntime } from '@baton/core'
import { type End, endOf } from './end.ts'
import { flows } from './flows/index.ts'
import type { Kind } from './flows/kind.ts'

export class Oracle {
  readonly #known = new Map<string, Promise<End>>()

  /** The end of a run that nobody calls off, and for which all is mended. */
  ask(kind: Kind, input: unknown): Promise<End> {
    const question = `${kind.flow.toBlueprint().id} ${JSON.stringify(input)}`
    const known = this.#known.get(question) ?? run(kind, input)
    this.#known.set(question, known)
    return known
  }
}

async function run({ flow, begin, decide, news, options }: Kind, given: unknown): Promise<End> {
  await using runtime = new FlowRuntime({ flows })
  const input = given as number
  if (begin === undefined && decide === undefined && news === undefined) {
    const result = await runtime.run(flow, input, options?.(input))
    if (result.status === 'paused') throw new Error(`${flow.toBlueprint().id} waits for what nobody brings`)
    return endOf(result)
  }
  const handle = await runtime.start(flow, input, options?.(input))
  await begin?.(handle, input)
  for (const { name, payload, signalId } of news?.(input) ?? []) await handle.signal(name, payload, { signalId })
  for await (const { type } of handle.stream()) if (type === 'run-paused') await decide?.(handle, input)
  return endOf(await handle.outcome())
}
