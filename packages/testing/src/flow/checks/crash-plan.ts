/** One death of a worker, at one of its port calls or right after one of its effects; and the list of where it could be. */
import { BatonError } from '@baton/core'
import type { Actor } from '../../simulator/world/actor.ts'
import type { Happening } from '../../simulator/world/timeline.ts'
import { Mishaps } from '../world/mishaps.ts'

/** `before`: the call never takes effect. `after`: it does, and nobody gets its answer. */
export interface CrashPoint {
  /** Which of the workers' calls it is, from 1. */
  readonly call: number
  readonly when: 'before' | 'after'
  readonly what: string
  /** Of whom: `run-1/charge succeeded`. */
  readonly about: string
}

export type CrashGoal = Pick<CrashPoint, 'call' | 'when'>

/** What changes nothing is over at once, so that there is nothing between its effect and its answer. */
const READS = new Set(['read', 'read all', 'load', 'summary', 'acknowledge', 'delivered'])

export class CrashPlan extends Mishaps {
  /** All points that were passed. */
  readonly points: CrashPoint[] = []
  struck: CrashPoint | undefined
  readonly #goal: CrashGoal | undefined
  #calls = 0
  #losesNext = true

  constructor(goal?: CrashGoal) {
    super()
    this.#goal = goal
  }

  override losesRequestOfTheDead(): boolean {
    return this.#losesNext
  }

  override strikes({ what, caller, actor, detail }: Happening): Actor | undefined {
    // Whatever else the dead had asked for is lost.
    this.#losesNext = true
    const worker = caller ?? (READS.has(what) ? actor : undefined)
    if (worker?.kind !== 'worker' || worker.isGone || what === 'deliver') return undefined
    const about =
      detail?.()
        .replace(/^\S+ ?/, '')
        .replace(/ f\d+$/, '') ?? ''
    const struck = this.#pass(caller === undefined ? ['before'] : ['before', 'after'], what, about)
    if (struck === undefined) return undefined
    this.#losesNext = struck.when === 'before'
    return worker
  }

  override strikesAfterEffect(name: string): boolean {
    return this.#pass(['after'], 'effect', name) !== undefined
  }

  #pass(whens: readonly CrashPoint['when'][], what: string, about: string): CrashPoint | undefined {
    const call = ++this.#calls
    const points = whens.map((when) => ({ call, when, what, about }))
    this.points.push(...points)
    this.struck ??= points.find(({ when }) => call === this.#goal?.call && when === this.#goal.when)
    return points.find((point) => point === this.struck)
  }
}

/** `12 after commit`: what a failure says, and `only` takes. */
export function nameOf({ call, when, what }: CrashPoint): string {
  return `${call} ${when} ${what}`
}

export function parseCrash(only: unknown): CrashGoal {
  const [, call, when] = /^(\d+) (before|after)\b/.exec(String(only)) ?? []
  if (call !== undefined) return { call: Number(call), when: when as CrashGoal['when'] }
  const hint = "Copy it from the failure: `only: '12 after commit'`."
  throw new BatonError('INVALID_OPTION', { field: 'only', message: `no point of a crash: ${String(only)}`, hint })
}
