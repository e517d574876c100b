/**
 * Takes a suite's samples: a fresh process for each contender, workload and round. The contenders of a workload take
 * turns, and every odd round runs backwards, so that a machine that slows down or speeds up favours nobody.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Scratch } from './meters/scratch.ts'
import { type Spread, spreadOf } from './statistics.ts'
import type { Comparison, Figure, Measurement, Suite } from './suite.ts'
import { sampleInTurns } from './turns.ts'

/** Built, because a loader that translates as it goes would be measured with the contender. */
const sampleFile = fileURLToPath(new URL('../dist/sample.js', import.meta.url))

/** A contender that has lost its way shall not hold up the others for ever. */
const SAMPLE_WITHIN_MS = 600_000

export interface MeasureOptions {
  readonly rounds: number
  /** Only workloads whose name contains this. */
  readonly only?: string | undefined
  readonly onSample: (line: string) => void
}

export interface Results {
  readonly rows: readonly Row[]
  readonly ratios: readonly Ratio[]
  readonly limits: readonly LimitedRow[]
}

export interface LimitedRow extends Row {
  readonly atMost: number
}

export interface Row extends Figure, Spread {}

export interface Ratio extends Spread {
  readonly comparison: Comparison
}

export async function measure(suite: Suite, { rounds, only = '', onSample }: MeasureOptions): Promise<Results> {
  if (!existsSync(sampleFile)) throw new Error(`${sampleFile} is not built; npm run bench builds it`)
  const cases = suite.cases.filter(({ workload }) => workload.includes(only))
  const samples = new Samples()
  using scratch = new Scratch()
  await using place = await suite.open?.()
  const env = { ...scratch.env, ...place?.env }
  for (let round = 0; round < rounds; round++) {
    for (const { workload, contenders, turns } of inOrderOf(round, cases)) {
      const ordered = inOrderOf(round, contenders)
      const inTurns =
        turns === undefined ? undefined : await sampleInTurns({ sampleFile, workload, contenders: ordered, turns, env })
      for (const contender of ordered) {
        const measurements = inTurns?.get(contender) ?? (await sample(contender, workload, env, onSample))
        for (const { unit, value } of measurements) samples.add({ workload, contender, unit }, round, value)
        const figures = measurements.map(
          ({ unit, value }) => `${value.toLocaleString('en', { maximumSignificantDigits: 4 })} ${unit}`,
        )
        onSample(`round ${round + 1}/${rounds}  ${workload}  ${contender}  ${figures.join('  ')}`)
      }
    }
  }
  const rows = samples.rows()
  const limits = suite.limits ?? []
  return {
    rows,
    ratios: suite.comparisons.flatMap((comparison) => samples.compare(comparison)),
    limits: limits.flatMap((limit) => {
      const row = rows.find((each) => keyOf(each) === keyOf(limit))
      return row === undefined ? [] : [{ ...row, atMost: limit.atMost }]
    }),
  }
}

function inOrderOf<T>(round: number, items: readonly T[]): readonly T[] {
  return round % 2 === 1 ? items.toReversed() : items
}

async function sample(
  contender: string,
  workload: string,
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<readonly Measurement[]> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [sampleFile, contender, workload], {
    env,
    timeout: SAMPLE_WITHIN_MS,
  })
  if (stderr !== '') say(stderr.trimEnd())
  return JSON.parse(stdout)
}

class Samples {
  readonly #byFigure = new Map<string, { readonly figure: Figure; readonly byRound: number[] }>()

  add(figure: Figure, round: number, value: number): void {
    const key = keyOf(figure)
    const entry = this.#byFigure.get(key) ?? { figure, byRound: [] }
    entry.byRound[round] = value
    this.#byFigure.set(key, entry)
  }

  rows(): Row[] {
    return [...this.#byFigure.values()].map(({ figure, byRound }) => ({ ...figure, ...spreadOf(byRound) }))
  }

  /** Round by round; nothing where `only` left one side out. */
  compare(comparison: Comparison): Ratio[] {
    const of = this.#byFigure.get(keyOf(comparison.of))?.byRound
    const to = this.#byFigure.get(keyOf(comparison.to))?.byRound
    if (of === undefined || to === undefined) return []
    return [{ comparison, ...spreadOf(of.map((value, round) => value / (to[round] ?? Number.NaN))) }]
  }
}

function keyOf({ workload, contender, unit }: Figure): string {
  return JSON.stringify([workload, contender, unit])
}
