/** One round of chaos: prepare, attack, let it calm down, judge. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { IRunStore } from '@baton/core'
import { Dice } from '@baton/testing/simulator'
import { type Backend, closePorts, type Ports } from './backend.ts'
import { Churn } from './churn.ts'
import { Crew } from './crew.ts'
import { leftovers } from './leftovers.ts'
import { Load } from './load.ts'
import { Operator } from './operator.ts'
import { Oracle } from './oracle.ts'
import { Outside } from './outside.ts'
import { Recoveries, type RecoveryTimes } from './recovery-times.ts'
import { Storm } from './storm.ts'
import { Timetable } from './timetable.ts'
import type { Finding } from './verdict/finding.ts'
import { judge } from './verdict/judge.ts'
import { WitnessReader } from './witness.ts'

export interface ChaosOptions {
  readonly backend: Backend
  /** Workers to kill. */
  readonly kills: number
  /** The attack also ends after so long, with fewer kills. Default: when it is done. */
  readonly seconds?: number
  /** Of what happens to whom, and of what is started; not of when. */
  readonly seed: number
  readonly workers?: number
  readonly leaseMs?: number
  /** Default one for three. */
  readonly zombiesPerKill?: number
  /** Of servers, where the backend has some. Default one for ten. */
  readonly restartsPerKill?: number
  /** For so long workers leave and join again, beside all else. Default: as the backend has it. */
  readonly stormSeconds?: number
  /** How many of them there are, where the backend lets one choose. */
  readonly brokers?: number
  readonly sweepMs?: number
  /** Runs under way at a time. */
  readonly width?: number
  readonly onProgress?: (progress: Progress) => void
  /** What workers or clients complain about. */
  readonly onTrouble?: (trouble: string) => void
  /** Only tests name another: a client's store that breaks a promise. */
  readonly spoilt?: (store: IRunStore) => IRunStore
  /** The program of a worker, and what Node has to be told besides. Default: the file beside this one. */
  readonly worker?: { readonly file: string; readonly nodeFlags: readonly string[] }
}

export interface Progress {
  readonly phase: 'storm' | 'calm' | 'verdict'
  readonly kills: number
  readonly zombies: number
  readonly runs: number
  readonly live: number
}

export interface ChaosResult {
  readonly kills: number
  readonly zombies: number
  /** Of servers that the backend has: a folder has none. */
  readonly serverRestarts: number
  /** How often a worker left and joined again. */
  readonly returns: number
  /** That a client has started. */
  readonly runs: number
  /** All that were judged: with children, runs of schedules, and those that went on or did work over. */
  readonly judged: number
  /** How often operators did what, as they were told. */
  readonly operators: { readonly pauses: number; readonly cancels: number; readonly redrives: number }
  readonly lost: number
  readonly doubled: number
  readonly stuck: number
  readonly findings: readonly Finding[]
  readonly executions: number
  readonly recovery: RecoveryTimes
  readonly seconds: number
}

/** How often clients look at their runs. */
const TEND_MS = 40
/** With no faults and able workers, this long without anything happening anywhere means that nothing will. */
const QUIET_MS = 30_000
const LEAVE_MS = 15_000

export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const { backend, seed, workers = 4, leaseMs = 1_000, sweepMs = 500, width = 24 } = options
  const { zombiesPerKill = 1 / 3, restartsPerKill = 1 / 10 } = options
  const { onProgress = () => {}, onTrouble = () => {}, stormSeconds = backend.stormSeconds ?? 0 } = options
  const startedAtMs = performance.now()
  const place = await backend.prepare(options.brokers === undefined ? {} : { brokers: options.brokers })
  const logs = mkdtempSync(join(tmpdir(), 'baton-witness-'))
  const witnessPath = join(logs, 'witness.log')
  const outsidePath = join(logs, 'outside')
  const witness = new WitnessReader(witnessPath)
  const ports = await backend.open(place.address, { leaseMs })
  const crew = new Crew({
    program: options.worker ?? {
      file: join(import.meta.dirname, `worker${extname(import.meta.filename)}`),
      nodeFlags: [],
    },
    orders: {
      adapter: backend.name,
      address: place.address,
      witness: witnessPath,
      outside: outsidePath,
      leaseMs,
      sweepMs,
    },
    onTrouble,
  })
  const clientPorts = { ...ports, store: options.spoilt?.(ports.store) ?? ports.store }
  const operator = new Operator({ dice: new Dice(seed + 2), outside: new Outside(outsidePath) })
  const load = new Load({ ports: clientPorts, dice: new Dice(seed), operator, width, onTrouble })
  const timetable = new Timetable({ ports, dice: new Dice(seed + 3) })
  const storm = new Storm({
    crew,
    witness,
    dice: new Dice(seed + 1),
    leaseMs,
    enough: options.kills,
    zombiesPerKill,
    servers: place.servers ?? [],
    restartsPerKill,
  })
  const churn = new Churn({ crew, dice: new Dice(seed + 4), seconds: stormSeconds })
  const tell = (phase: Progress['phase']) =>
    onProgress({ phase, kills: storm.kills, zombies: storm.zombies, runs: load.started.length, live: load.live })
  try {
    while (crew.members.length < workers) crew.hire()
    await Promise.all(crew.members.map((member) => member.ready))
    if (crew.members.length === 0) throw new Error('no worker could start; each has said why')
    await timetable.open()
    await attack(options, { load, storm, churn, timetable }, () => tell('storm'))
    operator.isResting = true
    await timetable.close()
    await calmDown(ports, load, () => tell('calm'))
    await crew.dismiss(LEAVE_MS)
    witness.read()
    tell('verdict')
    const recoveries = new Recoveries(crew.deaths)
    // Everything is read anew, by somebody who has seen none of it.
    const after = await backend.open(place.address, { leaseMs })
    const { started } = load
    const schedules = timetable.kept
    const evidence = { ports: after, started, schedules, witness: witness.lines, oracle: new Oracle() }
    let judged = 0
    const findings = await judge(evidence, (events) => {
      recoveries.take(events)
      judged += 1
    })
    await closePorts(after)
    const count = (what: Finding['what']) => new Set(findings.filter((each) => each.what === what).map(keyOf)).size
    return {
      kills: storm.kills,
      zombies: storm.zombies,
      serverRestarts: storm.restarts,
      returns: churn.returns,
      runs: started.length,
      judged,
      operators: {
        pauses: started.reduce((sum, run) => sum + run.pauses.length, 0),
        cancels: started.filter(({ isCalledOff }) => isCalledOff === true).length,
        redrives: started.filter(({ redrivenAs }) => redrivenAs.size > 0).length,
      },
      lost: count('lost'),
      doubled: count('doubled'),
      stuck: count('stuck'),
      findings,
      executions: witness.lines.filter(({ what }) => what === 'ran').length,
      recovery: recoveries.times(),
      seconds: Math.round((performance.now() - startedAtMs) / 1_000),
    }
  } finally {
    await crew.dismiss(0)
    await closePorts(ports)
    witness.close()
    rmSync(logs, { recursive: true, force: true })
    await place.remove()
  }
}

function keyOf({ runId, detail }: Finding): string {
  return `${runId} ${detail}`
}

interface Attack {
  readonly load: Load
  readonly storm: Storm
  readonly churn: Churn
  readonly timetable: Timetable
}

/** Clients and faults side by side, until there were enough faults. */
async function attack(
  { seconds }: ChaosOptions,
  { load, storm, churn, timetable }: Attack,
  tell: () => void,
): Promise<void> {
  const over = new AbortController()
  const ending = seconds === undefined ? undefined : setTimeout(() => over.abort(), seconds * 1_000)
  const clients = async () => {
    while (!over.signal.aborted) {
      await load.fill()
      await load.tend()
      await timetable.tend()
      await wait(TEND_MS)
    }
  }
  const faults = async () => {
    while (!storm.isOver && !over.signal.aborted) {
      await storm.strike(over.signal)
      tell()
    }
  }
  const both = [clients(), Promise.all([faults(), churn.blow(over.signal)])].map((each) =>
    each.finally(() => over.abort()),
  )
  await Promise.all(both).finally(() => clearTimeout(ending))
  await storm.pass()
}

/** No more faults and no more starts: what is under way has to end. */
async function calmDown(ports: Ports, load: Load, tell: () => void): Promise<void> {
  let seen = ''
  let sinceMs = performance.now()
  // Looked at twice: who looks page by page does not see a run that starts behind its back, and whose schedule is over by the next page.
  let empty = 0
  while (empty < 2) {
    await load.tend()
    tell()
    const left = await leftovers(ports)
    empty = load.live === 0 && left.length === 0 ? empty + 1 : 0
    const now = `${load.changes} ${left.join(' ')}`
    if (now !== seen) sinceMs = performance.now()
    else if (performance.now() - sinceMs > QUIET_MS) return
    seen = now
    await wait(TEND_MS)
  }
}
