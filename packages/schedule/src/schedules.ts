import {
  BatonClient,
  BatonError,
  type ClientOptions,
  checkOptions,
  checkText,
  type IClock,
  type ISerializer,
  JsonSerializer,
  parseRunId,
  type RunnableFlow,
  type RunSummary,
  systemClock,
} from '@baton/core'
import { changed, type ScheduleChanges, withoutUndefined } from './changes.ts'
import { checkInput } from './check-input.ts'
import { EVERY_SCHEDULE, type Kept, MAILBOX, scheduleFlow, type Told, tagOf } from './schedule-flow.ts'
import { changeableMembers, checkScheduleId, checkSpec, type Policies, type Spec, sameContent } from './spec.ts'
import { firstState } from './state.ts'
import { checkIsToCome, type Timing } from './timing.ts'
import { type ScheduleView, viewOf } from './view.ts'

export interface SchedulesOptions
  extends Pick<ClientOptions, 'store' | 'queue' | 'serializer' | 'logger' | 'newId' | 'publishJournals'> {
  readonly clock?: IClock
}

export type NewSchedule<Input = unknown> = {
  /** 1 to 64 of `A-Z a-z 0-9 . _ -`. The ids of its runs begin with it. */
  readonly id: string
  /** Its runs are of the version that the worker which starts them was given last. */
  readonly flow: RunnableFlow<Input> | string
  /** The same for every run. When it was started, and for which instant, a run finds in its context under `schedule`. */
  readonly input?: Input
} & Timing &
  Policies

const DELETED = 'the schedule was deleted'

/** So many deleted schedules of one id may have left their tombstones. */
const MOST_GENERATIONS = 1_000

/**
 * Keeps schedules: creates them, changes them, shows them. Needs the store alone; workers that have the flow, listed
 * with `withSchedules`, start the runs.
 */
export class Schedules {
  readonly #client: BatonClient
  readonly #clock: IClock
  readonly #serializer: ISerializer
  readonly #newId: () => string

  constructor(options: SchedulesOptions) {
    checkOptions(options, [
      'store',
      'queue',
      'serializer',
      'logger',
      'newId',
      'publishJournals',
      'clock',
      'coordinationStore',
    ])
    this.#client = new BatonClient(options)
    this.#clock = options.clock ?? systemClock
    this.#serializer = options.serializer ?? new JsonSerializer()
    this.#newId = options.newId ?? (() => globalThis.crypto.randomUUID())
  }

  /**
   * Creates a schedule, once: asked again with the same content it gives the one that is there, however it stands, so
   * that a program may ask at every start. Throws `SCHEDULE_EXISTS` where one of this id has other content; after
   * `delete` the id is free again.
   */
  async create<Input>(schedule: NewSchedule<Input>): Promise<ScheduleView> {
    checkOptions(schedule, ['id', 'flow', ...changeableMembers], 'schedule')
    const { id, flow, ...rest } = schedule
    checkScheduleId(id)
    const spec = { ...withoutUndefined(rest), id, flowId: flowIdOf(flow) } as Spec
    checkSpec(spec)
    if (typeof flow !== 'string') await checkInput(flow, spec.input)
    // What cannot be kept is refused here, and not at the first start.
    this.#serializer.encode(spec.input ?? null, 'input')

    let found = await this.#find(id)
    let generation = 1
    for (let tries = 0; tries < MOST_GENERATIONS; tries++) {
      if (found !== undefined && !this.#isFree(spec, found)) return this.#sameOrThrow(spec, found)
      if (found !== undefined) generation = Math.max(generation, found.kept.state.generation + 1)
      // Asked for once more after its end it is given back; begun anew it would end without a run.
      checkIsToCome(spec, this.#clock.now())
      const keeper = await this.#start(spec, generation)
      if (keeper === 'started') return this.get(id)
      // Somebody else was faster; or an older one was removed, and its id is still kept from use.
      found = keeper
      generation += 1
    }
    throw new BatonError('SCHEDULE_EXISTS', { field: 'id', message: `schedule ${id} was deleted too often of late` })
  }

  /** @returns what is there instead, or undefined where that was removed */
  async #start(spec: Spec, generation: number): Promise<'started' | Found | undefined> {
    const { id, flowId } = spec
    const kept: Kept = { spec, state: firstState(generation, this.#clock.now()) }
    const runId = keeperId(id, generation)
    try {
      await this.#client.start(scheduleFlow(flowId), undefined, {
        runId,
        context: { ...kept },
        tags: [EVERY_SCHEDULE, tagOf(id)],
      })
      return 'started'
    } catch (error) {
      if (!BatonError.is(error, 'RUN_EXISTS')) throw error
    }
    return this.#lookAt(runId)
  }

  /** What has ended by itself is given back to who asks for the same, and keeps nobody else from the id. */
  #isFree(spec: Spec, found: Found): boolean {
    const { status } = found.view
    if (status === 'deleted') return true
    return (status === 'ended' || status === 'failed') && !this.#isSame(spec, found)
  }

  #isSame(spec: Spec, { kept }: Found): boolean {
    const texts = [spec, kept.spec].map((each) => this.#serializer.encode(each, 'schedule'))
    return sameContent(texts[0], texts[1])
  }

  #sameOrThrow(spec: Spec, found: Found): ScheduleView {
    if (this.#isSame(spec, found)) return found.view
    throw new BatonError('SCHEDULE_EXISTS', {
      field: 'id',
      message: `schedule ${spec.id} exists with other content`,
    })
  }

  /** How it stands: what comes next, what was started, what was left out. Throws `UNKNOWN_SCHEDULE`. */
  async get(id: string): Promise<ScheduleView> {
    return (await this.#known(id)).view
  }

  /** All that are active or paused, the newest first. */
  async list(): Promise<ScheduleView[]> {
    const views = new Map<string, ScheduleView>()
    let cursor: string | undefined
    do {
      const page = await this.#client.listRuns({
        tag: EVERY_SCHEDULE,
        status: ['pending', 'running', 'paused'],
        ...(cursor === undefined ? {} : { cursor }),
      })
      for (const summary of page.runs) {
        const view = (await this.#look(summary))?.view
        if (view !== undefined && !views.has(view.id)) views.set(view.id, view)
      }
      cursor = page.cursor
    } while (cursor !== undefined)
    return [...views.values()]
  }

  /**
   * Changes what it is told, from the next instant on; what is left out stays. Runs that were started go on as they are.
   * It takes effect as soon as a worker has heard of it. It is refused where it does not go together with what the schedule
   * is told now; where another change is faster, and it does not go together with that one, `lastRefusal` says so.
   */
  async update(id: string, changes: ScheduleChanges): Promise<void> {
    checkOptions(changes, changeableMembers, 'changes')
    const { kept } = await this.#open(id)
    checkSpec(changed(kept.spec, changes))
    this.#serializer.encode(changes.input ?? null, 'input')
    // The changes alone: another update may be on its way, and what is left out here must not undo it.
    await this.#tell(id, { type: 'updated', changes: withoutUndefined(changes) })
  }

  /** Starts nothing until `unpause`. Instants that pass meanwhile are left out. Runs that were started go on. */
  async pause(id: string, reason?: string): Promise<void> {
    checkText(reason, 'reason')
    await this.#tell(id, { type: 'paused', ...(reason === undefined ? {} : { reason }) })
  }

  async unpause(id: string): Promise<void> {
    await this.#tell(id, { type: 'unpaused' })
  }

  /**
   * Starts a run now, also while it is paused; `overlap` holds for this one too.
   * @returns the id that the run has, if it is started
   */
  async trigger(id: string): Promise<string> {
    const runId = parseRunId(`${checkScheduleId(id)}@trigger-${this.#newId()}`)
    await this.#tell(id, { type: 'triggered', runId })
    return runId
  }

  /**
   * Ends it for good. Runs that it has started go on. Deleting it again changes nothing. Throws `UNKNOWN_SCHEDULE` where it
   * has ended by itself: it stays what it is, and its id is free for another one.
   */
  async delete(id: string): Promise<void> {
    const { view } = await this.#known(id)
    if (view.status === 'deleted') return
    const isDeleted = view.status !== 'ended' && (await this.#client.get(view.keeperRunId).cancel(DELETED))
    if (!isDeleted) throw unknownSchedule(id, 'has ended')
  }

  async #tell(id: string, news: Told): Promise<void> {
    const { view } = await this.#open(id)
    try {
      await this.#client.get(view.keeperRunId).signal(MAILBOX, news, { signalId: this.#newId() })
    } catch (error) {
      throw BatonError.is(error, 'RUN_ENDED') ? unknownSchedule(id, 'has ended') : error
    }
  }

  /** One that can still be told something. */
  async #open(id: string): Promise<Found> {
    const found = await this.#known(id)
    if (found.view.status === 'active' || found.view.status === 'paused') return found
    throw unknownSchedule(id, `is ${found.view.status}`)
  }

  async #known(id: string): Promise<Found> {
    const found = await this.#find(checkScheduleId(id))
    if (found === undefined) throw unknownSchedule(id, 'does not exist')
    return found
  }

  async #find(id: string): Promise<Found | undefined> {
    const first = await this.#lookAt(keeperId(id, 1))
    const isLive = first?.view.status === 'active' || first?.view.status === 'paused'
    return isLive ? first : ((await this.#newestOf(id)) ?? first)
  }

  /** Where the first one is over, another may have come after it. */
  async #newestOf(id: string): Promise<Found | undefined> {
    let cursor: string | undefined
    do {
      const page = await this.#client.listRuns({
        tag: tagOf(id),
        limit: 1,
        ...(cursor === undefined ? {} : { cursor }),
      })
      const [newest] = page.runs
      const found = newest === undefined ? undefined : await this.#look(newest)
      if (found !== undefined) return found
      cursor = page.cursor
    } while (cursor !== undefined)
    return undefined
  }

  async #lookAt(runId: string): Promise<Found | undefined> {
    try {
      return await this.#look(await this.#client.get(runId).summary())
    } catch (error) {
      if (BatonError.is(error, 'UNKNOWN_RUN')) return undefined
      throw error
    }
  }

  /** A schedule goes on as a new run now and then: what counts is how the newest one stands. */
  async #look({ runId }: RunSummary): Promise<Found | undefined> {
    const handle = await this.#client.get(runId).latest()
    const summary = await handle.summary()
    const { spec, state } = await handle.context.getMany<Kept>(['spec', 'state'])
    // Somebody else's run may have such an id, or our tag.
    if (spec === undefined || state === undefined) return undefined
    const kept = { spec, state }
    return { kept, view: viewOf(kept, summary, this.#clock.now()) }
  }
}

/** The id of the run that keeps a schedule, and of all that go on for it. */
function keeperId(id: string, generation: number): string {
  return generation === 1 ? `schedule:${id}` : `schedule:${id}:${generation}`
}

interface Found {
  readonly kept: Kept
  readonly view: ScheduleView
}

function flowIdOf(flow: unknown): string {
  if (typeof flow === 'string') return flow
  if (typeof (flow as RunnableFlow | undefined)?.toBlueprint === 'function') {
    return (flow as RunnableFlow).toBlueprint().id
  }
  const hint = 'Pass what createFlow() gives, or the id of a flow.'
  throw new BatonError('INVALID_OPTION', { field: 'flow', message: 'not a flow', hint })
}

function unknownSchedule(id: string, what: string): BatonError {
  return new BatonError('UNKNOWN_SCHEDULE', { field: 'id', message: `schedule ${id} ${what}` })
}
