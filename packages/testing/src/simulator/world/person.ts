/** The people and programs around the workers: who starts runs and waits for them, who cancels, signals and approves. */
import { BatonClient, BatonError, type RunHandle, type RunSummary } from '@baton/core'
import { wait } from '@baton/core/adapter'
import { Dice, hash } from '../../dice.ts'
import type { Referee } from '../checker/referee.ts'
import { ENOUGH } from '../checker/tree.ts'
import { isApproved } from '../workload/features/approvals.ts'
import type { SimFlow } from '../workload/random-flow.ts'
import type { SimRun } from '../workload/runs.ts'
import { Actor, type ActorKind } from './actor.ts'
import { storeOf } from './ports.ts'
import type { World } from './world.ts'

export interface PeopleOptions {
  readonly world: World
  readonly referee: Referee
  /** All that there are runs of. */
  readonly flows: readonly SimFlow[]
  readonly isDetermined: boolean
  /** They start runs whose journals are to be published. */
  readonly publishJournals: boolean
}

export class Person {
  readonly actor: Actor
  readonly #options: PeopleOptions
  readonly #client: BatonClient
  readonly #dice: Dice
  /** For whether to pause, so that people do all else as they did before they could. */
  readonly #mood: Dice
  #signals = 0
  #busy = 0

  constructor(kind: ActorKind, name: string, options: PeopleOptions) {
    const { world, flows, publishJournals } = options
    this.#options = options
    this.actor = new Actor(world, kind, name)
    world.actors.push(this.actor)
    this.#dice = new Dice(hash(`${world.seed} ${name} does`))
    this.#mood = new Dice(hash(`${world.seed} ${name} pauses`))
    const { mutant } = world
    const store = storeOf(this.actor)
    this.#client = new BatonClient({
      store: mutant?.store?.(store, this.actor) ?? store,
      queue: world.queue.portOf(this.actor),
      flows: flows.map(({ flow }) => flow),
      clock: this.actor.clock,
      newId: this.actor.newId,
      publishJournals,
    })
  }

  /** Still at something that was begun. */
  get isBusy(): boolean {
    return this.#busy > 0
  }

  /** Does something after a while. */
  later(delayMs: number, what: string, act: () => Promise<unknown>): void {
    const { world, referee } = this.#options
    const run = () => {
      this.#busy += 1
      act()
        .catch((error: unknown) => referee.fails('I4', '', `${this.actor.name} met ${String(error)}`))
        .finally(() => {
          this.#busy -= 1
        })
    }
    world.add({ delayMs, actor: this.actor, what, detail: () => this.actor.name, run })
  }

  /** Starts a run, as often as it takes to be told that it is there, and perhaps waits for its end. */
  async starts(run: SimRun): Promise<void> {
    const { referee } = this.#options
    const follows = this.#dice.happens(0.4)
    const handle = await this.#unlessRemoved(run.runId, () => this.#client.start(run.flow.flow, run.input, run.options))
    if (handle === undefined) return
    if (handle.runId !== run.runId) referee.fails('I4', run.runId, `started as ${handle.runId}`)
    referee.started.add(run.runId)
    if (this.#dice.happens(0.15)) await this.#startsOtherwise(run)
    if (!follows) return
    const result = await this.#unlessRemoved(run.runId, () => handle.outcome())
    if (result === undefined) return
    const last = referee.tree.row(run.runId).at(-1)?.runId ?? run.runId
    const status = referee.runs.get(last)?.machine.state.status
    if (result.status !== status) referee.fails('I5', run.runId, `${result.status} was told, and is ${status}`)
  }

  /** The same run with another input is refused, whatever has become of it. */
  async #startsOtherwise({ flow, otherInput, options, runId }: SimRun): Promise<void> {
    try {
      await this.#untilAnswered(() => this.#client.start(flow.flow, otherInput, options))
    } catch (error) {
      if (BatonError.is(error, 'RUN_EXISTS')) return
      throw error
    }
    this.#options.referee.fails('I4', runId, 'it was started again with another input')
  }

  /** Does to a run what people do. */
  async meddles(run: SimRun): Promise<void> {
    const handle = this.#client.get(this.#oneOfItsFamily(run.runId))
    const choice = this.#dice.below(this.#options.isDetermined ? 2 : 3)
    if (choice === 0) await this.#answers(handle)
    else if (choice === 1) await this.#sendsNews(handle)
    else await this.#cancels(handle)
    if (this.#mood.happens(0.15)) await this.#pauses(handle)
    if (this.#mood.happens(0.35)) await this.#redrives()
  }

  /** Looks at what has failed for good, and has some of it done over. */
  async #redrives(): Promise<void> {
    const { removed, started } = this.#options.referee
    const { deadLetters } = await this.#untilAnswered(() => this.#client.deadLetters())
    if (deadLetters.length === 0) return
    const { runId, instanceId } = this.#mood.pick(deadLetters)
    const options = { by: this.actor.name, ...(this.#mood.happens(0.3) ? { instanceId } : {}) }
    try {
      const handle = await this.#untilAnswered(() => this.#client.redrive(runId, options))
      if (!removed.has(handle.runId)) started.add(handle.runId)
    } catch (error) {
      // It is too early or too late for it, or the run that has done it over is gone.
      const isGone = codeOf(error) === 'RUN_EXISTS' && removed.has(`${runId}:redrive`)
      if (!isGone && !['NOT_REDRIVABLE', 'UNKNOWN_RUN'].includes(codeOf(error))) throw error
    }
  }

  /** Answers everything that any run waits for, until all is over. */
  async seesThrough(isOver: () => boolean, everyMs: number): Promise<void> {
    for (let redrives = this.#mood.below(3); !isOver(); ) {
      if (redrives > 0 && this.#mood.happens(0.2)) {
        redrives -= 1
        await this.#redrives()
      }
      for (const [runId, { model }] of this.#options.referee.runs) {
        if (model.end === undefined) await this.#helps(this.#client.get(runId))
      }
      await wait(this.actor.clock, everyMs)
    }
  }

  async #helps(handle: RunHandle): Promise<void> {
    const summary = await this.#summary(handle)
    if (summary?.endedAtMs !== undefined) return
    if (summary?.operatorPause !== undefined) await this.#unpauses(handle)
    if (summary?.pendingApproval !== undefined) await this.#answers(handle, summary)
    if (summary?.pendingPause !== undefined) await this.#sends(handle, summary.pendingPause.signal)
  }

  /** The run itself, or now and then one that it has started. */
  #oneOfItsFamily(runId: string): string {
    const model = this.#options.referee.runs.get(runId)?.model
    const children = [...(model?.family.children.keys() ?? [])]
    return children.length > 0 && this.#dice.happens(0.4) ? this.#dice.pick(children) : runId
  }

  /** Now and then nobody thinks of lifting it, until somebody sees the run through. */
  async #pauses(handle: RunHandle): Promise<void> {
    const isHeld = await this.#unlessTooEarly(() => handle.pause({ reason: 'wait', by: this.actor.name }))
    if (isHeld !== true) return
    await wait(this.actor.clock, this.#mood.below(3_000))
    if (this.#mood.happens(0.8)) await this.#unpauses(handle)
  }

  async #unpauses(handle: RunHandle): Promise<void> {
    await this.#unlessTooEarly(() => handle.unpause({ by: this.actor.name }))
  }

  async #cancels(handle: RunHandle): Promise<void> {
    const won = await this.#unlessTooEarly(() => handle.cancel(ENOUGH))
    if (won === true) this.#options.referee.cancelled.add(handle.runId)
  }

  async #answers(handle: RunHandle, known?: RunSummary): Promise<void> {
    const { world, referee, isDetermined } = this.#options
    const summary = known ?? (await this.#summary(handle))
    const [pending] = summary?.pendingApprovals ?? []
    if (pending === undefined) return
    const { approvalId } = pending
    const approved = isDetermined ? isApproved(world.seed, handle.runId, approvalId) : this.#dice.happens(0.7)
    const decide = () =>
      approved
        ? handle.approve({ approval: approvalId, by: this.actor.name })
        : handle.deny({ approval: approvalId, by: this.actor.name })
    let isTaken: boolean | undefined
    try {
      await this.#untilAnswered(decide)
      isTaken = true
    } catch (error) {
      if (BatonError.is(error, 'APPROVAL_CONFLICT')) isTaken = false
      else if (!['RUN_ENDED', 'UNKNOWN_APPROVAL', 'UNKNOWN_RUN'].includes(codeOf(error))) throw error
    }
    // It may have gone on as new since, and the new one ask the same.
    const decided = referee.tree.row(handle.runId).map(({ decisions }) => decisions.get(approvalId))
    if (isTaken !== undefined && !decided.some((answer) => (answer === approved) === isTaken)) {
      referee.fails('I11', handle.runId, `${approvalId}: ${approved} was answered ${isTaken}, and is ${decided}`)
    }
  }

  async #sendsNews(handle: RunHandle): Promise<void> {
    const summary = await this.#summary(handle)
    const name = summary?.pendingPause?.signal ?? (this.#dice.happens(0.5) ? 'news' : undefined)
    if (name !== undefined) await this.#sends(handle, name)
  }

  async #sends(handle: RunHandle, name: string): Promise<void> {
    const signalId = `${this.actor.name}-${++this.#signals}`
    const { referee } = this.#options
    const { tree } = referee
    const send = async () => {
      try {
        await handle.signal(name, { signalId }, { signalId })
      } catch (error) {
        if (BatonError.is(error, 'RUN_ENDED') && !tree.isOver(handle.runId)) {
          referee.fails('ROW', handle.runId, 'it is said to be over, and goes on as new')
        }
        throw error
      }
      if (!tree.hasTaken(handle.runId, signalId)) {
        referee.fails('ROW', handle.runId, `signal ${signalId} is said to have been taken, and was not`)
      }
    }
    await this.#unlessTooEarly(send)
  }

  async #summary(handle: RunHandle): Promise<RunSummary | undefined> {
    return this.#unlessTooEarly(() => handle.summary())
  }

  /** A run that is not there yet, or no longer going on, is nobody's mistake. */
  async #unlessTooEarly<Answer>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await this.#untilAnswered(ask)
    } catch (error) {
      if (BatonError.is(error, 'UNKNOWN_RUN') || BatonError.is(error, 'RUN_ENDED')) return undefined
      throw error
    }
  }

  /** A run that was kept long enough is gone for good: nobody hears of it or starts it again. */
  async #unlessRemoved<Answer>(runId: string, ask: () => Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await this.#untilAnswered(ask)
    } catch (error) {
      const isGone = BatonError.is(error, 'UNKNOWN_RUN') || BatonError.is(error, 'RUN_EXISTS')
      const { removed, tree } = this.#options.referee
      if (isGone && (removed.has(runId) || tree.row(runId).some((run) => removed.has(run.runId)))) return undefined
      throw error
    }
  }

  async #untilAnswered<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!BatonError.is(error, 'STORE_UNAVAILABLE')) throw error
        await wait(this.actor.clock, 50)
      }
    }
  }
}

function codeOf(error: unknown): string {
  return BatonError.is(error) ? error.code : ''
}
