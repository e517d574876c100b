/**
 * Limits, by what the limited runs themselves say: their journals when they were let in and ended, and node code when it
 * was in there. Who has a slot by the limiter's own account is asked at the end alone, when nobody should.
 */
import type { Gate } from '@baton/core'
import type { Finding } from './finding.ts'
import type { JudgedRun, Runs } from './run.ts'

type FindIn = (what: Finding['what'], runId: string, detail: string) => void

export function judgeLimits(runs: Runs, find: FindIn): void {
  const gates = new Map<string, Gate>()
  const under = new Map<string, JudgedRun[]>()
  for (const run of runs.all) {
    const { runId, limiter } = run.record
    if (limiter !== undefined) judgeLimiter(runId, limiter, find)
    for (const gate of run.record.gates ?? []) {
      gates.set(gate.limiter, gate)
      under.set(gate.limiter, [...(under.get(gate.limiter) ?? []), run])
    }
  }
  for (const [limiter, { most, perMs }] of gates) {
    const limited = under.get(limiter) ?? []
    if (perMs !== undefined) judgeRate(limited, limiter, { most, perMs }, find)
    else {
      const admitted = limited.flatMap((run) => stayOf(run, limiter))
      judgeCrowd(admitted, most, (count) => find('doubled', limiter, `${count} runs were let in, of ${most}`))
      const seen = limited.flatMap(witnessedIn)
      judgeCrowd(seen, most, (count) => find('doubled', limiter, `node code of ${count} runs was in there, of ${most}`))
    }
  }
}

function judgeLimiter(
  runId: string,
  { held, waiting }: NonNullable<JudgedRun['record']['limiter']>,
  find: FindIn,
): void {
  if (held.length > 0) find('stuck', runId, `still keeps a slot for ${held.join(', ')}`)
  if (waiting.length > 0) find('stuck', runId, `still keeps ${waiting.map((each) => each.runId).join(', ')} waiting`)
}

interface Stay {
  readonly from: number
  readonly until: number
}

/** From its grant to its end. One that ended while it waited was never there. */
function stayOf({ record, events }: JudgedRun, limiter: string): readonly Stay[] {
  const grant = events.find((event) => event.type === 'slot-granted' && event.limiter === limiter)
  return grant === undefined ? [] : [{ from: grant.atMs, until: record.endedAtMs ?? Number.POSITIVE_INFINITY }]
}

/**
 * From the first line of its node code until the last was through, by the claim that counts: what a zombie says later is
 * no stay. Known of runs that went through.
 */
function witnessedIn({ events, lines }: JudgedRun): readonly Stay[] {
  const first = lines.find(({ what }) => what === 'ran')
  const last = lines.find(
    (line) =>
      line.what === 'left' &&
      events.some(
        (event) =>
          event.type === 'node-succeeded' && event.instanceId === line.instanceId && event.fence === line.fence,
      ),
  )
  return first === undefined || last === undefined ? [] : [{ from: first.place, until: last.place }]
}

/** Who leaves in the instant in which somebody comes has made room for him. */
function judgeCrowd(stays: readonly Stay[], most: number, tooMany: (count: number) => void): void {
  const steps = stays.flatMap(({ from, until }) => [
    { at: from, by: 1 },
    { at: until, by: -1 },
  ])
  steps.sort((left, right) => left.at - right.at || left.by - right.by)
  let count = 0
  let peak = 0
  for (const { by } of steps) {
    count += by
    peak = Math.max(peak, count)
  }
  if (peak > most) tooMany(peak)
}

/** However late each hears of it: the n-th cannot be let in before the periods of all before it are over. */
function judgeRate(
  limited: readonly JudgedRun[],
  limiter: string,
  { most, perMs }: { readonly most: number; readonly perMs: number },
  find: FindIn,
): void {
  const firstMs = Math.min(...limited.map(({ record }) => record.createdAtMs))
  const times = limited.flatMap((run) => stayOf(run, limiter)).map(({ from }) => from)
  times.sort((left, right) => left - right)
  const early = times.findIndex((atMs, index) => atMs < firstMs + Math.floor(index / most) * perMs)
  if (early >= 0) find('doubled', limiter, `the ${early + 1}th run was let in too early`)
}
