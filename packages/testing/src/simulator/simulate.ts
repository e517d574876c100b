/**
 * One seed, from its first to its last step: things go wrong for a while, then all faults are healed, people answer
 * whatever is waited for, and every run must end.
 */
import { Dice, hash } from '../dice.ts'
import { checkEnd } from './checker/end-check.ts'
import { Liveness } from './checker/liveness.ts'
import { Referee } from './checker/referee.ts'
import type { Violation } from './checker/violation.ts'
import { Faults } from './faults/faults.ts'
import { strike } from './faults/strikes.ts'
import type { Mutant } from './mutants/mutant.ts'
import { type Limits, type Plan, planOf } from './plan.ts'
import type { Witness } from './workload/program.ts'
import { nameOf, type SimFlow } from './workload/random-flow.ts'
import { type Workload, workloadOf } from './workload/runs.ts'
import type { Actor } from './world/actor.ts'
import { Person } from './world/person.ts'
import { Producer } from './world/producer.ts'
import type { StoreCall } from './world/recording-store.ts'
import { Staff } from './world/staff.ts'
import { Topic } from './world/topic.ts'
import { World } from './world/world.ts'

export interface SimulateOptions {
  readonly seed: number
  readonly limits?: Limits
  readonly mutant?: Mutant | undefined
  /** Keep the trace as lines. */
  readonly keepsTrace?: boolean
  /** Where to note all that the store was asked to change, to ask another one the same. */
  readonly calls?: StoreCall[]
}

export interface Simulated {
  readonly seed: number
  readonly violation: Violation | undefined
  readonly steps: number
  /** The same for the same seed, and for hardly any other. */
  readonly digest: string
  readonly trace: readonly string[]
  /** Numbers of the faults that happened. */
  readonly faults: readonly number[]
  readonly statuses: readonly string[]
  /** Times that a loop began again. */
  readonly revisits: number
  /** Runs that nodes have started. */
  readonly children: number
  /** Runs that go on for others, as new. */
  readonly successors: number
  /** Runs that were given a slot. */
  readonly letIn: number
  /** Runs that do failed work of others over. */
  readonly redriven: number
  /** Entries that have come to a sink, and those of them that came again. */
  readonly published: number
  readonly doubles: number
}

const MOST_STEPS = 100_000
const ANSWER_EVERY_MS = 250

export async function simulate({ seed, limits, mutant, keepsTrace, calls }: SimulateOptions): Promise<Simulated> {
  const plan = planOf(seed, limits)
  const game = new Game(plan, { limits, mutant, keepsTrace, calls })
  await game.play()
  const { world, referee } = game
  const runs = [...referee.runs.values()]
  return {
    seed,
    violation: referee.violation,
    steps: world.steps,
    digest: world.trace.digest,
    trace: world.trace.lines,
    faults: world.faults.happened,
    statuses: runs.flatMap(({ model, machine }) => (model.end === undefined ? [] : [machine.state.status])),
    children: runs.filter(({ model }) => model.family.parent !== undefined).length,
    successors: runs.filter(({ model }) => model.link > 1).length,
    letIn: runs.filter(({ model }) => model.gates.passed > 0).length,
    redriven: referee.sources.size,
    published: referee.topic.count,
    doubles: referee.topic.doubles,
    revisits: runs.reduce((sum, { model }) => sum + model.revisits, 0),
  }
}

interface GameOptions {
  readonly limits: Limits | undefined
  readonly mutant: Mutant | undefined
  readonly keepsTrace: boolean | undefined
  readonly calls: StoreCall[] | undefined
}

class Game {
  readonly world: World
  readonly referee: Referee
  readonly #plan: Plan
  readonly #workload: Workload
  readonly #staff: Staff
  readonly #strikes: Dice
  readonly #people: Person[] = []
  /** All is over, and everybody goes home. */
  #isClosing = false

  constructor(plan: Plan, { limits, mutant, keepsTrace = false, calls }: GameOptions) {
    const { seed, leaseMs, rates } = plan
    this.#plan = plan
    this.referee = new Referee((name) => this.#flowOf(name), leaseMs)
    const only = limits?.faults === undefined ? undefined : new Set(limits.faults)
    const allows = only === undefined ? undefined : (number: number) => only.has(number)
    const faults = new Faults({ seed, rates, leaseMs, allows })
    this.world = new World({ ...plan, faults, referee: this.referee, mutant, keepsTrace, calls })
    this.referee.world = this.world
    this.#workload = workloadOf(plan, this.world.nowMs, this.#witness())
    const { flows } = this.#workload
    const topic = new Topic({
      world: this.world,
      referee: this.referee,
      dice: new Dice(hash(`${seed} topic`)),
      chaosMs: plan.chaosMs,
    })
    const sinkOf = (actor: Actor, hasAll: boolean) =>
      hasAll || plan.sinks === 'all' || actor.random() < 0.5 ? topic.sinkOf(actor) : undefined
    this.#staff = new Staff({
      world: this.world,
      ...(plan.sinks === 'none' ? {} : { sinkOf }),
      flows,
      dice: new Dice(hash(`${seed} staff`)),
      size: plan.workers,
      retentionMs: plan.retentionMs,
    })
    this.#strikes = new Dice(hash(`${seed} strikes`))
  }

  async play(): Promise<void> {
    const { world } = this
    this.#staff.fill()
    this.#bringPeople()
    this.#bringOthers()
    const scene = { world, staff: this.#staff, dice: this.#strikes }
    const untilMs = world.nowMs + this.#plan.chaosMs
    await this.#go(
      () => world.nowMs >= untilMs || this.#isOver(),
      () => strike(scene),
    )
    this.#heal()
    const liveness = new Liveness(this.referee, world)
    await this.#go(
      () => this.#isOver(),
      () => liveness.check(),
    )
    // A job from outside may begin another one when all is over.
    const over = new Set(this.referee.runs.keys())
    await this.#closeDown()
    if (this.referee.violation === undefined) await checkEnd(this.referee, world, over)
  }

  /** Step by step until something is so; before each step there is an opportunity. */
  async #go(isOver: () => boolean, before: () => void): Promise<void> {
    const { world, referee } = this
    while (referee.violation === undefined && !isOver()) {
      before()
      if (!(await world.step())) return referee.fails('I3', '', 'nothing can happen any more')
      if (world.steps > MOST_STEPS) return referee.fails('I3', '', `no end after ${MOST_STEPS} steps`)
    }
  }

  #isOver(): boolean {
    const { runs, limits } = this.referee
    if (!this.#workload.runs.every(({ runId }) => runs.has(runId)) || limits.unheard > 0) return false
    return [...runs.values()].every(({ model }) => model.isDone)
  }

  #bringPeople(): void {
    const { clients, operators, chaosMs, isDetermined } = this.#plan
    const publishJournals = this.#plan.sinks !== 'none'
    const options = {
      world: this.world,
      referee: this.referee,
      flows: this.#workload.flows,
      isDetermined,
      publishJournals,
    }
    const { runs } = this.#workload
    const dice = new Dice(hash(`${this.#plan.seed} people`))
    for (let index = 0; index < clients; index++) {
      const client = new Person('client', `c${index}`, options)
      this.#people.push(client)
      for (const [place, run] of runs.entries()) {
        // Two clients may start the same run at the same time: it is one run.
        const isMine = place % clients === index || dice.happens(0.3)
        if (isMine) client.later(dice.below(chaosMs / 3), 'start a run', () => client.starts(run))
      }
    }
    const team = Array.from({ length: operators }, (_, index) => new Person('operator', `o${index}`, options))
    this.#people.push(...team)
    for (let acts = operators * (1 + dice.below(4)); acts > 0; acts--) {
      const run = dice.pick(runs)
      const atMs = dice.below(chaosMs)
      // Often several of them have the same idea at the same moment.
      for (const operator of dice.happens(0.4) ? team : [dice.pick(team)]) {
        operator.later(atMs, 'meddle', () => operator.meddles(run))
      }
    }
  }

  /** What other programs send, late and twice too, and operators who want a run looked after. */
  #bringOthers(): void {
    const { chaosMs, seed } = this.#plan
    const { flows, runs } = this.#workload
    const dice = new Dice(hash(`${seed} others`))
    const runIds = [...runs.map(({ runId }) => runId), 'foreign-0', 'foreign-1']
    if (dice.happens(0.3)) {
      const producer = new Producer(this.world)
      for (let jobs = 1 + dice.below(5); jobs > 0; jobs--) {
        const runId = dice.pick(runIds)
        const planned = runs.find((run) => run.runId === runId)
        const flow = planned?.flow ?? (flows.at(-1) as SimFlow)
        const nodeId = dice.happens(0.7) ? 'n0' : dice.pick([...flow.nodes.keys()])
        // Of a run that a client is about to start it may only speak when that has happened.
        const maySend = () => planned === undefined || this.referee.runs.has(runId)
        producer.sends({ delayMs: dice.below(2 * chaosMs), blueprintId: flow.flow.id, runId, nodeId, maySend })
      }
    }
    for (let looks = dice.below(4); looks > 0; looks--) this.#staff.reconciles(dice.pick(runIds), dice.below(chaosMs))
  }

  #heal(): void {
    const { world } = this
    world.trace.tell(world.nowMs, '✓ all faults are healed')
    world.faults.heal()
    for (const actor of world.actors) if (!actor.isGone && actor.isFrozen) actor.thaw()
    this.#staff.heal()
    const isDetermined = this.#plan.isDetermined
    const publishJournals = this.#plan.sinks !== 'none'
    const options = { world, referee: this.referee, flows: this.#workload.flows, isDetermined, publishJournals }
    const helper = new Person('operator', 'helper', options)
    this.#people.push(helper)
    helper.later(0, 'see all runs through', () =>
      helper.seesThrough(() => this.#isClosing || this.#isOver(), ANSWER_EVERY_MS),
    )
  }

  /** Who waits for a run is told of its end, and workers that are asked to stop do. */
  async #closeDown(): Promise<void> {
    const { world } = this
    this.#isClosing = true
    let haveLeft = false
    void this.#staff.stop().then(() => {
      haveLeft = true
    })
    const untilMs = world.nowMs + CLOSED_WITHIN_MS
    const check = () => {
      if (world.nowMs <= untilMs) return
      const waiting = this.#people.filter(({ isBusy }) => isBusy).map(({ actor }) => actor.name)
      this.referee.fails('I3', '', haveLeft ? `${waiting.join(', ')} still waits` : 'the workers do not stop')
    }
    await this.#go(() => haveLeft && this.#people.every(({ isBusy }) => !isBusy), check)
  }

  #flowOf(name: string) {
    const flow = this.#workload.flows.find((each) => nameOf(each.flow.id, each.version) === name)
    if (flow === undefined) throw new Error(`a run of a flow that nobody has planned: ${name}`)
    return flow
  }

  #witness(): Witness {
    const worker = (): Actor => {
      const { current } = this.world
      if (current === undefined) throw new Error('code of a node runs outside of every process')
      return current
    }
    return {
      entered: (args, of) => {
        const actor = worker()
        this.referee.entered(actor, args, of)
        return actor
      },
      sawStep: (args, name) => this.referee.sawStep(worker(), args, name),
    }
  }
}

/** More than any worker here gives what runs, and than it takes to look again. */
const CLOSED_WITHIN_MS = 10_000
