/** How a test ended, as far as it has to be the same whatever goes wrong; and what is different, in words. */
import { isDeepStrictEqual } from 'node:util'
import type { FlowTest } from '../flow-test.ts'
import { errorText, shown } from '../journal/event-text.ts'
import { brokenRules } from './journal-rules.ts'

interface RunEnding {
  readonly runId: string
  readonly flowId: string
  /** `completed with 7`, in words that tell two endings apart. */
  readonly told: string
  readonly value: unknown
}

export interface Ending {
  /** What the scenario gave. */
  readonly value: unknown
  readonly runs: readonly RunEnding[]
  /** How often each effect happened, for an outside that knows its keys. */
  readonly effects: ReadonlyMap<string, number>
  /** How often what has no key happened. */
  readonly keyless: ReadonlySet<string>
  /** Rules of journals that were broken. */
  readonly broken: readonly string[]
}

/** @param comparable makes the parts of an output that may differ the same */
export function endingOf(test: FlowTest, value: unknown, comparable: (output: unknown) => unknown): Ending {
  const runs = test.runs.map((run): RunEnding => {
    const { journal, status, runId } = run
    const started = journal.events[0]
    const flowId = started?.type === 'run-started' ? started.head.flowId : ''
    const failed = journal.events.find((event) => event.type === 'run-failed')
    const error = failed?.type === 'run-failed' ? failed.error : undefined
    const output = status === 'completed' ? comparable(journal.output) : undefined
    const told =
      error !== undefined
        ? `failed: ${errorText(error)}`
        : output === undefined
          ? status
          : `${status} with ${shown(output)}`
    // Ids that the engine has drawn are others when another worker draws them.
    const name = /^child-/.test(runId) ? 'child' : runId
    return { runId: name, flowId, told, value: error === undefined ? { status, output } : { status, error: told } }
  })
  const effects = new Map<string, number>()
  const keyless = new Set<string>()
  for (const { name, key } of test.effects.distinct) {
    const text = key === undefined ? name : `${name} (${key})`
    if (key === undefined) keyless.add(text)
    effects.set(text, (effects.get(text) ?? 0) + 1)
  }
  const broken = test.runs.flatMap(({ runId, journal }) =>
    brokenRules(journal.events).map((rule) => `${runId}: ${rule}`),
  )
  return { value: comparable(value), runs, effects, keyless, broken }
}

/** @returns what is not the same, a line each */
export function differences(usual: Ending, other: Ending, without: string): readonly string[] {
  const lines = [...other.broken]
  for (const run of usual.runs) {
    const now = other.runs.find(({ runId }) => runId === run.runId)
    if (now === undefined) lines.push(`${run.runId} (${run.flowId}) is not there; ${without} it is ${run.told}`)
    else if (!isDeepStrictEqual(now.value, run.value)) {
      lines.push(`${run.runId} (${run.flowId}) is ${now.told}; ${without} it is ${run.told}`)
    }
  }
  const known = new Set(usual.runs.map(({ runId }) => runId))
  for (const { runId, flowId, told } of other.runs) {
    if (!known.has(runId)) lines.push(`${runId} (${flowId}) is ${told}; ${without} there is no such run`)
  }
  for (const effect of new Set([...usual.effects.keys(), ...other.effects.keys()])) {
    const was = usual.effects.get(effect) ?? 0
    const now = other.effects.get(effect) ?? 0
    if (was === now) continue
    const advice = now > was && other.keyless.has(effect) ? KEYLESS : ''
    lines.push(`effect ${effect} happened ${times(now)}; ${without} ${times(was)}${advice}`)
  }
  if (!isDeepStrictEqual(usual.value, other.value)) {
    lines.push(`the scenario gave ${shown(other.value)}; ${without} ${shown(usual.value)}`)
  }
  return lines
}

const KEYLESS = '. Hand it the idempotencyKey, and note it with that: test.effect(name, idempotencyKey)'

function times(count: number): string {
  return count === 1 ? 'once' : count === 0 ? 'never' : `${count} times`
}
