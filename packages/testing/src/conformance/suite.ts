/**
 * A suite is data: cases with titles, each a function of a stage. A thin function registers them with vitest; another
 * runs them and tells which failed, which is how broken adapters prove that the kit sees what it should.
 */
import { describe, it } from 'vitest'
import { Stage } from './stage.ts'
import type { Need, Subject, WorldOptions } from './subject.ts'

export interface Case {
  /** The promise, as a sentence. */
  readonly title: string
  readonly needs?: readonly Need[]
  /** Why nobody can run it yet. */
  readonly pending?: string
  /** What the world is told, in ticks. */
  readonly world?: Partial<WorldInTicks>
  run(stage: Stage): Promise<void>
}

export interface Suite {
  readonly name: string
  readonly cases: readonly Case[]
  /** It measures what a server does, so nothing else may be done there meanwhile. */
  readonly isAlone?: boolean
}

interface WorldInTicks {
  readonly redispatch: number
  readonly redispatchMax: number
  readonly visibility: number
}

const CASE_TIMEOUT_MS = 60_000

/** A server that a busy machine kept waiting has said nothing about promises. Whatever else fails has failed, for an adapter must not break one now and then. */
const AGAIN = { count: 1, condition: /no answer within|is not there after/ }

/** What a case gets when its times did not hold the first time: each tick is this many times as long. */
const SLOWDOWNS = [1, 4, 16]

/**
 * Runs one case in a world of its own. Throws what the case throws.
 *
 * In real time a busy machine may be late for a case that says "not before" or "within". Such a case, and no other, is
 * run again with longer times; an adapter that is wrong is wrong at any speed.
 */
async function runCase(subject: Subject, one: Case): Promise<void> {
  for (const slowdown of SLOWDOWNS) {
    const { failure } = await tryCase({ ...subject, tickMs: subject.tickMs * slowdown }, one)
    if (failure === undefined) return
    if (!failure.isTimed || slowdown === SLOWDOWNS.at(-1)) throw failure.error
  }
}

interface Tried {
  readonly failure?: { readonly error: unknown; readonly isTimed: boolean }
}

async function tryCase(subject: Subject, one: Case): Promise<Tried> {
  let stage: Stage | undefined
  try {
    await using world = await subject.create(worldOptions(subject, one))
    for (const need of one.needs ?? []) {
      if (world[need] !== undefined) continue
      throw new Error(`${subject.name} has no \`${need}\`: give its worlds one, or skip this case with a reason`)
    }
    stage = new Stage(subject, world)
    await one.run(stage)
    return {}
  } catch (error) {
    return { failure: { error, isTimed: stage?.isTimed === true } }
  }
}

function worldOptions({ tickMs }: Subject, { world = {} }: Case): WorldOptions {
  const { redispatch = 20, redispatchMax = 80, visibility = 40 } = world
  return {
    redispatchMs: redispatch * tickMs,
    redispatchMaxMs: redispatchMax * tickMs,
    visibilityMs: visibility * tickMs,
  }
}

/** Registers the suites with vitest: a test per case, skipped with its reason where the subject says so. */
export function registerSuites(subject: Subject, suites: readonly Suite[], known: readonly Suite[]): void {
  describe(subject.name, () => {
    for (const suite of suites) {
      // Suites side by side, the cases of each in turn.
      const concurrent = subject.sideBySide === true && suite.isAlone !== true
      describe(suite.name, { concurrent }, () => {
        for (const one of suite.cases) registerCase(subject, one)
      })
    }
    it('skips only cases that the kit has, and gives a reason for each', () => {
      const titles = new Set(known.flatMap(({ cases }) => cases.map(({ title }) => title)))
      for (const [title, reason] of Object.entries(subject.skip ?? {})) {
        if (!titles.has(title)) throw new Error(`the kit has no case ${JSON.stringify(title)}`)
        if (reason.trim() === '') throw new Error(`no reason is given for skipping ${JSON.stringify(title)}`)
      }
    })
  })
}

function registerCase(subject: Subject, one: Case): void {
  const skipped = Object.hasOwn(subject.skip ?? {}, one.title) ? subject.skip?.[one.title] : undefined
  const reason = one.pending ?? skipped
  it(one.title, { concurrent: false, retry: AGAIN, timeout: CASE_TIMEOUT_MS }, async (context) => {
    if (reason !== undefined) return context.skip(reason)
    await runCase(subject, one)
  })
}

export interface FailedCase {
  readonly title: string
  readonly error: unknown
}

/** Runs the cases of suites without vitest, and gives those that failed. */
export async function findFailures(
  subject: Subject,
  suites: readonly Suite[],
  timeoutMs = 5_000,
): Promise<FailedCase[]> {
  const failures: FailedCase[] = []
  for (const one of suites.flatMap(({ cases }) => cases)) {
    if (one.pending !== undefined || Object.hasOwn(subject.skip ?? {}, one.title)) continue
    const error = await failureOf(() => runCase(subject, one), timeoutMs)
    if (error !== undefined) failures.push({ title: one.title, error })
  }
  return failures
}

async function failureOf(work: () => Promise<void>, timeoutMs: number): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    await Promise.race([work(), tooLate])
    return undefined
  } catch (error) {
    return error ?? new Error('it failed without an error')
  } finally {
    clearTimeout(timer)
  }
}
