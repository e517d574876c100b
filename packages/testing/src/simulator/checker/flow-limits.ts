/** The gates that a run must have, by the limits of its flow and by its input. */
import type { Gate, RunEvent } from '@baton/core'
import type { SimFlow } from '../workload/random-flow.ts'

type Started = Extract<RunEvent, { type: 'run-started' }>

/** @returns what is wrong with the gates of a run that begins */
export function mistakeOfGates({ flow }: SimFlow, { head, input }: Started): string | undefined {
  const { id, policy: { concurrency = [], rate = [] } = {} } = flow.toBlueprint()
  const { gates = [] } = head
  const limits = [...concurrency, ...rate]
  if (gates.length !== limits.length) return `it has ${gates.length} gates, and its flow ${limits.length} limits`
  for (const [index, limit] of limits.entries()) {
    const gate = gates[index] as Gate
    const perMs = 'periodMs' in limit ? limit.periodMs : undefined
    const key = limit.key?.reduce((value: unknown, name) => (value as { [name: string]: unknown })?.[name], input)
    const limiter = `baton:limit:${[id, perMs === undefined ? 'runs' : 'rate', ...(key === undefined ? [] : [limit.key?.join('.'), key])].join(':')}`
    const isIts = gate.limiter === limiter && gate.most === limit.limit && gate.perMs === perMs
    if (!isIts) return `${gate.limiter} is not where it should ask for a slot`
  }
  return undefined
}
