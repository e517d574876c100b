/** Bugs of the rules by which a run changes: planted in the machine of a run, around one kind of call. */
import type { Mutant } from './mutant.ts'
import { around } from './planting.ts'

const NEVER_MS = Number.POSITIVE_INFINITY

export const inMachine: readonly Mutant[] = [
  {
    name: 'the fence is not looked at',
    where: 'machine, commit',
    seed: 2,
    machine: around('commit', {
      before(machine, transition) {
        const instance = machine.state.instances.get(transition.instanceId)
        if (instance !== undefined) Object.assign(transition, { fence: instance.fence })
      },
    }),
  },
  {
    name: 'a claim takes what somebody else holds',
    where: 'machine, claim',
    seed: 1,
    machine: around('claim', {
      before(machine, { instanceId, claimId }, atMs) {
        const instance = machine.state.instances.get(instanceId)
        if (instance?.status === 'claimed' && instance.claimId !== claimId) instance.dueAtMs = atMs
      },
    }),
  },
  {
    name: 'a redelivered job runs a node again that has succeeded',
    where: 'machine, claim',
    seed: 2,
    machine: around('claim', {
      before(machine, { instanceId }) {
        const instance = machine.state.instances.get(instanceId)
        if (instance?.status === 'succeeded') instance.status = 'ready'
      },
    }),
  },
  {
    name: 'a join is ready one arrival too early',
    where: 'machine, arrivals',
    seed: 1,
    machine: around('commit', {
      before(_machine, { outcome }) {
        if (!('arrivals' in outcome)) return
        for (const arrival of outcome.arrivals) if (arrival.of > 1) Object.assign(arrival, { of: arrival.of - 1 })
      },
    }),
  },
  {
    name: 'a run that is being cancelled starts more',
    where: 'machine, claim',
    seed: 15,
    machine: (machine) => {
      let wasStopping = false
      around('claim', {
        before({ state }) {
          wasStopping = state.stopping
          state.stopping = false
        },
        after({ state }) {
          state.stopping ||= wasStopping
        },
      })(machine)
    },
  },
  {
    name: 'a stopping run ends while others are at work',
    where: 'machine, commit',
    seed: 15,
    machine: around('commit', {
      before({ state }) {
        if (state.stopping) state.claimed = 1
      },
    }),
  },
  {
    name: 'a lease is renewed for whoever asks',
    where: 'machine, renew',
    seed: 2,
    machine: around('renew', {
      before({ state }, { claims }) {
        for (const claim of claims) Object.assign(claim, { fence: state.instances.get(claim.instanceId)?.fence })
      },
    }),
  },
  {
    name: 'a lease is renewed past the timeout of its attempt',
    where: 'machine, renew',
    seed: 115,
    machine: around('renew', {
      before({ state }, { claims }) {
        for (const { instanceId } of claims) {
          const instance = state.instances.get(instanceId)
          if (instance !== undefined) instance.attemptUntilMs = NEVER_MS
        }
      },
    }),
  },
  {
    name: 'a sleeper wakes at once',
    where: 'machine, commit',
    seed: 1,
    machine: around('commit', {
      after({ state }, { instanceId, outcome }, atMs) {
        const instance = state.instances.get(instanceId)
        if (outcome.type === 'slept' && instance?.status === 'sleeping') instance.dueAtMs = atMs
      },
    }),
  },
  {
    name: 'the timeout of a wait is forgotten',
    where: 'machine, commit',
    seed: 1,
    machine: around('commit', {
      after({ state }, { instanceId, outcome }) {
        const instance = state.instances.get(instanceId)
        if (outcome.type === 'awaited' && instance?.status === 'awaiting') instance.dueAtMs = NEVER_MS
      },
    }),
  },
  {
    name: 'a signal that was sent again counts again',
    where: 'machine, notify',
    seed: 1,
    machine: around('notify', {
      before({ state }, { type }) {
        if (type === 'signal') state.news?.signalIds.clear()
      },
    }),
  },
  {
    name: 'a step that was recorded is recorded again',
    where: 'machine, commit',
    seed: 77,
    machine: around('commit', {
      before({ state }, { instanceId, outcome }) {
        const instance = state.instances.get(instanceId)
        if (outcome.type !== 'stepped' || instance === undefined) return
        instance.lastPosition = -1
        instance.commitId = undefined
      },
    }),
  },
  {
    name: 'nobody finds a lease that has ended',
    where: 'machine, due',
    seed: 15,
    machine(machine) {
      const due = machine.due.bind(machine)
      machine.due = (...args) =>
        due(...args).filter(
          (item) => item.type !== 'instance' || machine.state.instances.get(item.instanceId)?.status !== 'claimed',
        )
    },
  },
  {
    name: 'the index of due runs misses those that sleep',
    where: 'machine, due',
    seed: 2,
    machine(machine) {
      const take = machine.takeNewDueAtMs.bind(machine)
      machine.takeNewDueAtMs = () => {
        const isAsleep = [...machine.state.instances.values()].some(({ status }) => status === 'sleeping')
        const atMs = take()
        return isAsleep ? NEVER_MS : atMs
      }
      machine.nextDueAtMs = () => NEVER_MS
    },
  },
  {
    name: 'a commit of a paused run goes on with the next node',
    where: 'machine, commit',
    seed: 172,
    machine: (machine) => {
      const { state } = machine
      let { held } = state
      around('commit', {
        before() {
          held = state.held
          state.held = undefined
        },
        after() {
          if (!state.stopping) state.held = held
        },
      })(machine)
    },
  },
  {
    name: 'what is due when a pause is lifted is in no index',
    where: 'machine, unpause',
    seed: 60,
    machine: around('notify', {
      after({ state }, { type }) {
        if (type === 'unpause') state.newDueAtMs = NEVER_MS
      },
    }),
  },
]
