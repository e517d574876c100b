/**
 * A world of two workers and one tiny run, in which nothing is left to chance: whoever explores it chooses which port
 * call takes effect next, and whether a worker dies right before one or right after it, at most once.
 */
import { BatonClient, type Flow, type RunHandle } from '@baton/core'
import { wait } from '@baton/core/adapter'
import { Dice } from '../../dice.ts'
import { Referee } from '../checker/referee.ts'
import { type FaultRates, Faults, faultKinds } from '../faults/faults.ts'
import type { Mutant } from '../mutants/mutant.ts'
import type { SimFlow } from '../workload/random-flow.ts'
import { Actor } from '../world/actor.ts'
import { storeOf } from '../world/ports.ts'
import { Staff } from '../world/staff.ts'
import type { Happening } from '../world/timeline.ts'
import { World } from '../world/world.ts'
import type { Choices } from './orders.ts'

/** What people do to the run; begun again until they do not come too early. */
export type Deed = (handle: RunHandle) => Promise<unknown>

export interface TinyGraph {
  readonly name: string
  readonly flow: Flow
  /** Flows that its nodes start runs of. */
  readonly children?: readonly Flow[]
  readonly deeds?: readonly Deed[]
  /** Every job comes twice. */
  readonly doubled?: boolean
  /** How it may end. */
  readonly ends: readonly string[]
}

export interface TinyOptions {
  readonly crashes: number
  readonly mutant?: Mutant | undefined
}

const RUN = 'tiny'
/** A sweep comes by only when nothing else happens any more. */
const TIMES = { leaseMs: 1_000, sweepMs: 5_000, visibilityMs: 500 }
const MOST_MS = 60_000

/** @returns what must not be, and was */
export async function play(graph: TinyGraph, choices: Choices, options: TinyOptions): Promise<string | undefined> {
  const flows = [graph.flow, ...(graph.children ?? [])].map(simFlowOf)
  const referee = new Referee((name) => flows.find(({ flow }) => flow.id === name) as SimFlow, TIMES.leaseMs)
  const faults = new ChosenFaults(graph.doubled === true)
  const chooser = new Chooser(choices, faults, options.crashes)
  const { mutant } = options
  const world = new World({ seed: 0, ...TIMES, faults, referee, mutant, pick: (ready) => chooser.pick(ready) })
  referee.world = world
  const staff = new Staff({ world, flows, dice: new Dice(0), size: 2, concurrency: 1 })
  staff.fill()
  const people = begin(world, graph)
  const untilMs = world.nowMs + MOST_MS
  // Of runs that go on for each other the last one counts.
  const status = () => {
    const last = referee.tree.row(RUN).at(-1)?.runId ?? RUN
    return referee.runs.get(last)?.machine.state.status ?? 'pending'
  }
  while (referee.violation === undefined && !referee.tree.isOver(RUN)) {
    // They act as soon as there is a run, at the same time as the workers.
    if (referee.runs.has(RUN)) for (const act of people.splice(0)) act()
    if (!(await world.step()) || world.nowMs > untilMs) return `I3: stuck as ${status()}`
  }
  if (referee.violation !== undefined) return referee.violation.message
  return graph.ends.includes(status()) ? undefined : `RESULT: ended as ${status()}`
}

function simFlowOf(flow: Flow): SimFlow {
  return { flow, version: undefined, nodes: new Map(), isDetermined: false, isKeyed: false }
}

/** Lets a client start the run. @returns what people then do to it */
function begin(world: World, { flow, deeds = [] }: TinyGraph): (() => void)[] {
  const clientOf = (name: string) => {
    const actor = new Actor(world, 'client', name)
    const store = storeOf(actor)
    const ports = { store: world.mutant?.store?.(store, actor) ?? store, queue: world.queue.portOf(actor) }
    return { actor, client: new BatonClient({ ...ports, flows: [flow], clock: actor.clock, newId: actor.newId }) }
  }
  const acts = (actor: Actor, act: () => Promise<unknown>) => {
    // A deed whose run has ended meanwhile, or that somebody else has done, is over.
    const run = () => void act().catch(() => {})
    world.add({ delayMs: 0, actor, what: 'act', detail: undefined, run })
  }
  const { actor, client } = clientOf('c0')
  acts(actor, () => client.start(flow, 1, { runId: RUN }))
  return deeds.map((deed, index) => {
    const operator = clientOf(`o${index}`)
    return () => acts(operator.actor, () => persist(() => deed(operator.client.get(RUN)), operator.actor))
  })
}

const TOO_EARLY = ['UNKNOWN_RUN', 'UNKNOWN_APPROVAL']

async function persist(deed: () => Promise<unknown>, { clock }: Actor): Promise<void> {
  for (;;) {
    try {
      await deed()
      return
    } catch (error) {
      if (!TOO_EARLY.includes(String((error as { code?: unknown }).code))) throw error
      await wait(clock, 100)
    }
  }
}

/** Nothing goes wrong but what is chosen. */
class ChosenFaults extends Faults {
  losesNext = true
  readonly #doubled: boolean

  constructor(doubled: boolean) {
    super({ seed: 0, rates: Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as FaultRates, leaseMs: 0 })
    this.heal()
    this.#doubled = doubled
  }

  override waysOfJob(): readonly number[] {
    return this.#doubled ? [0, 0] : [0]
  }

  override below(): number {
    return 0
  }

  override losesRequestOfTheDead(): boolean {
    return this.losesNext
  }
}

class Chooser {
  readonly #choices: Choices
  readonly #faults: ChosenFaults
  #crashes: number

  constructor(choices: Choices, faults: ChosenFaults, crashes: number) {
    this.#choices = choices
    this.#faults = faults
    this.#crashes = crashes
  }

  pick(ready: readonly Happening[]): number {
    this.#faults.losesNext = true
    const plain = ready.findIndex((each) => each.caller === undefined || each.caller.isGone || PLAIN.has(each.what))
    if (plain >= 0) return plain
    const mortal = this.#crashes === 0 ? [] : ready.flatMap(({ caller }, at) => (caller?.kind === 'worker' ? [at] : []))
    const taken = this.#choices.take(ready.length + 2 * mortal.length)
    if (taken < ready.length) return taken
    const at = mortal[(taken - ready.length) >> 1] as number
    this.#crashes -= 1
    ready[at]?.caller?.kill()
    // Either the call never took effect, or its answer is never seen.
    this.#faults.losesNext = (taken - ready.length) % 2 === 0
    return at
  }
}

/** What changes no run: jobs are hints, and a delivery makes no difference that its claim does not make. */
const PLAIN = new Set(['enqueue', 'deliver', 'renew'])
