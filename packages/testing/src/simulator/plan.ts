/** What a seed stands for: how many of everybody, which features, which faults and how many of them. */
import { Dice, hash } from '../dice.ts'
import { type FaultKind, type FaultRates, faultKinds } from './faults/faults.ts'
import type { Feature } from './workload/feature.ts'
import { features } from './workload/features/index.ts'

export interface Plan {
  readonly seed: number
  readonly leaseMs: number
  readonly sweepMs: number
  readonly visibilityMs: number
  /** How long a run is kept once it has ended. */
  readonly retentionMs: number
  readonly workers: number
  readonly clients: number
  readonly operators: number
  readonly runs: number
  readonly maxNodes: number
  /** How long things go wrong. */
  readonly chaosMs: number
  /** How much news a limiter takes before it goes on in a new run. */
  readonly limiterNews: number
  /** Who has a sink for journals: nobody, all workers, or some. With one, people start runs to be published. */
  readonly sinks: 'none' | 'some' | 'all'
  readonly rates: FaultRates
  readonly features: readonly Feature[]
  /** The result does not depend on what happens first, and an oracle tells it. */
  readonly isDetermined: boolean
}

/** Less than the seed says: what is left when a failing seed is made small. */
export interface Limits {
  readonly workers?: number
  readonly clients?: number
  readonly operators?: number
  readonly runs?: number
  readonly maxNodes?: number
  readonly chaosMs?: number
  readonly without?: readonly FaultKind[]
  readonly withoutFeatures?: readonly string[]
  /** Numbers of the faults that may happen. */
  readonly faults?: readonly number[]
}

/** Per call, per job, and per step. */
const usual: FaultRates = {
  refused: 0.03,
  'answer-lost': 0.04,
  slow: 0.03,
  'job-lost': 0.2,
  'job-doubled': 0.2,
  'job-delayed': 0.2,
  crash: 0.006,
  freeze: 0.006,
  stop: 0.003,
  'clock-jump': 0.003,
  'queue-wiped': 0.003,
  'nobody-sweeps': 0.002,
  outage: 0.003,
  'store-clock-jump': 0.003,
}

export function planOf(seed: number, limits: Limits = {}): Plan {
  const dice = new Dice(hash(`${seed} plan`))
  const isDetermined = dice.happens(0.35)
  const rates = Object.fromEntries(
    faultKinds.map((kind) => {
      const rate = dice.happens(0.5) ? usual[kind] * dice.pick([0.5, 1, 2]) : 0
      return [kind, limits.without?.includes(kind) === true ? 0 : rate]
    }),
  ) as FaultRates
  const chosen = features.filter(({ chance = 0.6 }) => dice.happens(chance))
  const drawn = {
    workers: 2 + dice.below(3),
    clients: 1 + dice.below(2),
    operators: dice.below(3),
    runs: 1 + dice.below(3),
    maxNodes: 30,
    chaosMs: 1_000 + dice.below(5_000),
  }
  return {
    seed,
    leaseMs: 900,
    sweepMs: dice.pick([200, 300, 400]),
    visibilityMs: dice.pick([500, 1_200]),
    retentionMs: dice.happens(0.4) ? dice.below(2_000) : Number.POSITIVE_INFINITY,
    ...(Object.fromEntries(
      Object.entries(drawn).map(([name, value]) => [
        name,
        Math.min(value, limits[name as keyof typeof drawn] ?? value),
      ]),
    ) as typeof drawn),
    limiterNews: new Dice(hash(`${seed} limiters`)).pick([4, 12, 2_000]),
    sinks: sinksOf(seed),
    rates,
    features: chosen.filter(({ name }) => limits.withoutFeatures?.includes(name) !== true),
    isDetermined,
  }
}

/** With dice of their own, so that all others fall as they do without sinks. */
function sinksOf(seed: number): Plan['sinks'] {
  const dice = new Dice(hash(`${seed} sinks`))
  if (!dice.happens(0.3)) return 'none'
  return dice.happens(0.5) ? 'some' : 'all'
}
