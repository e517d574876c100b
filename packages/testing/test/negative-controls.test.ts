/**
 * A kit that passes everything proves nothing. Each of these subjects breaks one rule on purpose, and the kit has to
 * say so by the names of the cases that guard it.
 */
import type { IJobQueue, IRunStore } from '@baton/core'
import type {
  Claim,
  ClaimRequest,
  CommitResult,
  Delivery,
  DueItem,
  DueQuery,
  Job,
  NewRun,
  Transition,
} from '@baton/core/adapter'
import { describe, expect, it } from 'vitest'
import { allSuites, around, findFailures, memorySubject, type Subject, type World } from '../src/index.ts'

/** The memory adapter with its ports spoilt. */
function spoilt(
  name: string,
  spoil: (world: World) => Partial<Pick<World, 'store' | 'queue' | 'coordinationStore'>>,
): Subject {
  return {
    ...memorySubject,
    name,
    async create(options) {
      const world = await memorySubject.create(options)
      const broken: World = {
        ...world,
        ...spoil(world),
        reopen: () => broken,
        [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
      }
      return broken
    },
  }
}

const levels = (subject: Subject, priorityLevel: (priority: number) => number): Subject => ({
  ...subject,
  priorityLevel,
})
const spoiltStore = (name: string, spoil: (store: IRunStore) => IRunStore) =>
  spoilt(name, ({ store }) => ({ store: spoil(store) }))
const spoiltQueue = (name: string, spoil: (queue: IJobQueue) => IJobQueue) =>
  spoilt(name, ({ queue }) => ({ queue: spoil(queue) }))

/** Lets any worker commit: the newest fence is filled in for it. */
function noFence(store: IRunStore): IRunStore {
  const newest = new Map<string, Claim>()
  const note = (claim: Claim | undefined) => {
    if (claim !== undefined) newest.set(`${claim.head.runId} ${claim.instanceId}`, claim)
  }
  return around(store, (method, call, args) => {
    if (method === 'claim') {
      const result = store.claim(args[0] as ClaimRequest) as { claim?: Claim }
      note(result.claim)
      return result
    }
    if (method !== 'commit') return call()
    const transition = args[0] as Transition
    const fence = newest.get(`${transition.runId} ${transition.instanceId}`)?.fence ?? transition.fence
    const result = store.commit({ ...transition, fence }) as CommitResult & { claim?: Claim }
    note(result.claim)
    return result
  })
}

/** Counts arrivals instead of keeping the set of their edges: each one gets an edge of its own. */
function counterJoins(store: IRunStore): IRunStore {
  let arrived = 0
  return around(store, (method, call, args) => {
    if (method !== 'commit') return call()
    const transition = args[0] as Transition
    const { outcome } = transition
    if (!('arrivals' in outcome)) return call()
    const arrivals = outcome.arrivals.map((arrival) =>
      arrival.rule === 'map' ? arrival : { ...arrival, edge: `${arrival.edge}~${arrived++}` },
    )
    return store.commit({ ...transition, outcome: { ...outcome, arrivals } })
  })
}

/** Forgets which transitions it has made: the same one again is one more. */
function noCommitIds(store: IRunStore): IRunStore {
  let ids = 0
  return around(store, (method, call, args) =>
    method === 'commit' ? store.commit({ ...(args[0] as Transition), commitId: `id-${ids++}` }) : call(),
  )
}

/** Never finds a lease that has ended. */
function noExpiredLeases(store: IRunStore): IRunStore {
  return around(store, (method, call, args) => {
    if (method !== 'due') return call()
    const items = store.due(args[0] as DueQuery) as readonly DueItem[]
    return items.filter((item) => {
      if (item.type !== 'instance') return true
      const run = store.load(item.runId) as { instances: { instanceId: string; status: string }[] } | undefined
      return run?.instances.find(({ instanceId }) => instanceId === item.instanceId)?.status !== 'claimed'
    })
  })
}

/** Gives out its own objects: here the context that it loads. */
function sharedObjects(store: IRunStore): IRunStore {
  const contexts = new Map<string, unknown>()
  return around(store, (method, call, args) => {
    if (method !== 'load') return call()
    const run = call() as { context: unknown } | undefined
    if (run === undefined) return undefined
    const context = contexts.get(String(args[0])) ?? run.context
    contexts.set(String(args[0]), context)
    return { ...run, context }
  })
}

/** Takes every job for done before anybody has claimed what it is about. */
function acknowledgesFirst(queue: IJobQueue): IJobQueue {
  return around(queue, (method, call, args) => {
    if (method !== 'consume') return call()
    const [handler, options] = args as Parameters<IJobQueue['consume']>
    return queue.consume(async (delivery: Delivery) => {
      await delivery.acknowledge()
      await handler(delivery)
    }, options)
  })
}

/** Delivers jobs as they came, whatever their priority, which they keep. */
function ignoresPriorities(queue: IJobQueue): IJobQueue {
  const priorities = new Map<string, number>()
  const keyOf = ({ runId, instanceId, dispatch }: Job) => `${runId} ${instanceId} ${dispatch}`
  return around(queue, (method, call, args) => {
    if (method === 'enqueue') {
      const jobs = args[0] as readonly Job[]
      for (const job of jobs) if (job.priority !== undefined) priorities.set(keyOf(job), job.priority)
      return queue.enqueue(jobs.map(({ priority: _, ...job }) => job))
    }
    if (method !== 'consume') return call()
    const [handler, options] = args as Parameters<IJobQueue['consume']>
    return queue.consume((delivery: Delivery) => {
      const priority = priorities.get(keyOf(delivery.job))
      return handler(priority === undefined ? delivery : withJob(delivery, { ...delivery.job, priority }))
    }, options)
  })
}

function withJob(delivery: Delivery, job: Job): Delivery {
  return new Proxy(delivery, {
    get(target, name) {
      if (name === 'job') return job
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

const HIGHER_FIRST = 'delivers jobs of a higher priority first'

const controls: readonly { readonly subject: Subject; readonly caughtBy: readonly string[] }[] = [
  {
    subject: spoiltStore('no fence', noFence),
    caughtBy: [
      'refuses a commit whose fence is no longer the newest, and changes nothing',
      'counts an item of a map once when it is worked on twice',
      'a worker that was frozen past its lease commits nothing when it comes back',
    ],
  },
  {
    subject: spoiltStore('a counter instead of a set', counterJoins),
    caughtBy: ['counts an edge once, however often it arrives'],
  },
  {
    subject: spoiltQueue('acknowledges before the claim', acknowledgesFirst),
    caughtBy: [
      'delivers a job again whose handler threw',
      'brings a job again that could not be claimed because the store was down',
    ],
  },
  {
    subject: spoiltQueue('ignores priorities', ignoresPriorities),
    caughtBy: [HIGHER_FIRST],
  },
  {
    subject: spoiltStore('forgets which transitions it has made', noCommitIds),
    caughtBy: [
      'answers a transition that it has made already with the same jobs and the same claim, and changes nothing',
      'commits and claims whose answers are lost take effect once',
    ],
  },
  {
    subject: spoiltStore('never finds a lease that has ended', noExpiredLeases),
    caughtBy: [
      'lists expired leases, sleepers, retries and waits whose time has come, and not before',
      'what a dead worker held is claimed by another within one lease and two sweeps',
    ],
  },
  {
    subject: spoiltStore('shares its objects', sharedObjects),
    caughtBy: ['shares no object with who got it: changing it changes nothing inside'],
  },
  {
    subject: spoiltStore('keeps no signal that comes early', (store) =>
      around(store, (method, call, args) => {
        const notice = args[0] as { type?: string; runId?: never }
        if (method !== 'notify' || notice.type !== 'signal') return call()
        const run = store.summary(notice.runId as never) as { status?: string } | undefined
        return run?.status === 'paused' ? call() : { status: 'unchanged', run: { status: 'running', stopping: false } }
      }),
    ),
    caughtBy: ['keeps signals that come early, and gives each to one waiter, first come first served'],
  },
  {
    subject: spoiltStore('forgets what is on its waiting lists', (store) =>
      around(store, (method, call, args) => {
        const query = args[0] as DueQuery | undefined
        return method === 'due' && query?.enlisted === true ? [] : call()
      }),
    ),
    caughtBy: [
      'tells of what is on a list only those who have that version, and nobody is reminded of it',
      'does not execute a run of a version that it lacks, and leaves it to one that has it',
    ],
  },
  {
    subject: spoiltStore('has one waiting list for all versions', (store) =>
      around(store, (method, call, args) => {
        const { flows = [], ...query } = (args[0] ?? {}) as DueQuery
        if (method !== 'due' || query.enlisted !== true) return call()
        return flows.length === 0 ? [] : store.due(query)
      }),
    ),
    caughtBy: [
      'tells of what is on a list only those who have that version, and nobody is reminded of it',
      'compares versions as text',
    ],
  },
  {
    subject: spoiltStore('lets every run begin at once', (store) =>
      around(store, (method, call, args) => {
        if (method !== 'create') return call()
        const { gates: _, ...run } = args[0] as NewRun
        return store.create(run)
      }),
    ),
    caughtBy: ['lets a run begin when it has passed its gates, one after the other, and not before'],
  },
  {
    subject: spoiltStore('forgets what limiters were told', (store) =>
      around(store, (method, call, args) => {
        const notice = args[0] as { readonly type?: string }
        const isRelease = method === 'notify' && notice.type === 'slot-release'
        return isRelease ? { status: 'unchanged', run: { status: 'running', stopping: false } } : call()
      }),
    ),
    caughtBy: [
      'grants slots while there is room, by priority, and of one priority in the order of asking',
      'goes by the limit of the newest request',
    ],
  },
  {
    subject: spoilt('a lock for everybody', ({ coordinationStore }) => ({
      coordinationStore: around(coordinationStore, (method, call) => {
        const answer = call()
        return method === 'setIfNotExist' ? true : answer
      }),
    })),
    caughtBy: ['sets a key for one of many that ask at the same time, in whatever process'],
  },
]

describe('the kit', () => {
  it('finds nothing wrong with the memory adapter', { timeout: 120_000 }, async () => {
    const failures = await findFailures(memorySubject, allSuites)

    expect(failures.map(({ title, error }) => `${title}: ${String(error)}`)).toEqual([])
  })

  for (const { subject, caughtBy } of controls) {
    it(`fails an adapter with this fault: ${subject.name}`, { timeout: 120_000 }, async () => {
      const failures = await findFailures(subject, allSuites)

      expect(failures.map(({ title }) => title)).toEqual(expect.arrayContaining([...caughtBy]))
    })
  }

  it.each([
    ['has three levels of priority', levels(memorySubject, Math.sign), []],
    ['ignores three levels', levels(spoiltQueue('', ignoresPriorities), Math.sign), [HIGHER_FIRST]],
    ['calls all the same level', levels(memorySubject, () => 0), [HIGHER_FIRST]],
    ['calls the lowest the highest', levels(memorySubject, (priority) => -priority), [HIGHER_FIRST]],
  ] as const)('asks of a queue that it keeps the levels that it says it has: %s', async (_, subject, caughtBy) => {
    const failures = await findFailures(
      subject,
      allSuites.filter(({ name }) => name === 'the job queue'),
    )

    expect(failures.map(({ title }) => title)).toEqual(caughtBy)
  })
})
