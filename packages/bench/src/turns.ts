/**
 * Samples that take turns: all contenders of a workload are up and warm, and one of them works at a time. A machine that is
 * shared has good and bad times of several seconds; so each contender gets its part of both, and the ratio of two of them
 * says something about them and not about their minute.
 *
 *   parent ── 'turn' ──► sample      works once, and says 'ready' again
 *   parent ── 'end' ───► sample      says its figures, and ends
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { TurnTaker } from './meters/meter.ts'
import type { Measurement } from './suite.ts'

/** Which of the contenders a sample is, from 0: what they share has a place for each. */
export const SEAT_VARIABLE = 'BATON_BENCH_SEAT'

/** A contender that has lost its way shall not hold up the others for ever. */
const TURN_WITHIN_MS = 300_000

type Order = 'turn' | 'end'
type Report = { readonly type: 'ready' } | { readonly type: 'figures'; readonly figures: readonly Measurement[] }

export interface TurnsOptions {
  readonly sampleFile: string
  readonly workload: string
  readonly contenders: readonly string[]
  readonly turns: number
  readonly env: NodeJS.ProcessEnv
}

/** @returns the figures of each contender */
export async function sampleInTurns(options: TurnsOptions): Promise<ReadonlyMap<string, readonly Measurement[]>> {
  const { contenders, turns } = options
  const samples: Sample[] = []
  try {
    // One after the other: nobody warms up beside somebody else.
    for (const [seat, contender] of contenders.entries()) {
      const sample = new Sample(contender, seat, options)
      samples.push(sample)
      await sample.next('ready')
    }
    for (let turn = 0; turn < turns; turn++) {
      for (const sample of turn % 2 === 1 ? samples.toReversed() : samples) {
        sample.tell('turn')
        await sample.next('ready')
      }
    }
    const figures = new Map<string, readonly Measurement[]>()
    for (const sample of samples) {
      sample.tell('end')
      figures.set(sample.contender, (await sample.next('figures')).figures)
    }
    return figures
  } finally {
    for (const sample of samples) sample.kill()
  }
}

class Sample {
  readonly contender: string
  readonly #process: ChildProcess
  /** Rejects when it ends. */
  readonly #ended: Promise<never>

  constructor(contender: string, seat: number, { sampleFile, workload, env }: TurnsOptions) {
    this.contender = contender
    this.#process = fork(sampleFile, [contender, workload], { env: { ...env, [SEAT_VARIABLE]: String(seat) } })
    this.#ended = once(this.#process, 'exit').then(([code]) => {
      throw new Error(`${contender} has ended with ${code}`)
    })
    this.#ended.catch(() => {})
  }

  tell(order: Order): void {
    this.#process.send(order)
  }

  async next<Type extends Report['type']>(type: Type): Promise<Extract<Report, { readonly type: Type }>> {
    const signal = AbortSignal.timeout(TURN_WITHIN_MS)
    const [report] = await Promise.race([once(this.#process, 'message', { signal }), this.#ended])
    if (report.type !== type) throw new Error(`${this.contender} says ${report.type}, not ${type}`)
    return report
  }

  kill(): void {
    this.#process.kill()
  }
}

/** In a sample: works when it is told to, until its figures are asked for. */
export async function takeTurns(taker: TurnTaker): Promise<void> {
  const say = (report: Report) => {
    if (process.send === undefined) throw new Error('a sample that takes turns is started by who gives them')
    process.send(report)
  }
  say({ type: 'ready' })
  for (;;) {
    const [order] = (await once(process, 'message')) as [Order]
    if (order === 'end') break
    await taker.turn()
    say({ type: 'ready' })
  }
  say({ type: 'figures', figures: await taker.end() })
  process.disconnect()
}
