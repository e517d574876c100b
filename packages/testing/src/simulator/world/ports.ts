/** The store and the coordination store as one process sees them: each call is two points on the timeline. */
import type { ICoordinationStore, IRunStore } from '@baton/core'
import type { ContextSource, RunEvent } from '@baton/core/adapter'
import type { Actor } from './actor.ts'

/** The run store behind the network of this actor. */
export function storeOf(actor: Actor): IRunStore {
  const { world } = actor
  const { store, referee } = world
  const short = { isShort: true }
  return {
    durability: 'none',
    create: (run) => actor.call('create', () => store.create(run), { detail: () => run.runId }),
    claim: (request) =>
      actor.call('claim', () => referee.claimed(actor, request, () => store.claim(request)), {
        detail: () => `${request.runId}/${request.instanceId}`,
      }),
    commit: (transition) =>
      actor.call('commit', () => referee.committed(transition, () => store.commit(transition)), {
        detail: () => `${transition.runId}/${transition.instanceId} ${transition.outcome.type} f${transition.fence}`,
      }),
    notify: (notice) =>
      actor.call('notify', () => referee.notified(notice, () => store.notify(notice)), {
        detail: () => `${notice.runId} ${notice.type}`,
      }),
    renew: (request) =>
      actor.call('renew', () => referee.renewed(request, () => store.renew(request)), { detail: () => request.runId }),
    load: (runId) => actor.call('load', () => store.load(runId), short),
    summary: (runId) => actor.call('summary', () => store.summary(runId), short),
    context: (runId) => contextOf(actor, store.context(runId)),
    journal: (runId, options) => followed(actor, store.journal(runId, options)),
    list: (query) => actor.call('list', () => store.list(query), short),
    due: (query) => {
      // A look at empty lists takes no time, so that worlds without versions are spared a step per sweep.
      if (query.enlisted === true && store.waitingLists().length === 0) return []
      return actor.call('due', () => (world.faults.isBlind ? [] : store.due(query)), short)
    },
    redispatch: (items) => actor.call('redispatch', () => store.redispatch(items), short),
    enlist: (request) => actor.call('enlist', () => store.enlist(request), { detail: () => request.runId }),
    waitingLists: () => actor.call('waiting lists', () => store.waitingLists(), short),
    // A hint, and none of these comes: the sweep has to do without.
    onEnlisted: () => () => {},
    delivered: (runId, keys) => actor.call('delivered', () => store.delivered(runId, keys), short),
    purge: (options) => actor.call('purge', () => store.purge(options), short),
    close: () => {},
  }
}

function contextOf(actor: Actor, source: ContextSource): ContextSource {
  return {
    read: (keys) => actor.call('read', () => source.read(keys), { isShort: true }) as Promise<never>,
    readAll: () => actor.call('read all', () => source.readAll(), { isShort: true }) as Promise<never>,
  }
}

/** Each event reaches its follower in a step of its own. */
async function* followed(actor: Actor, events: AsyncIterable<RunEvent>): AsyncGenerator<RunEvent> {
  for await (const event of events) {
    await actor.call('follow', () => undefined, { isShort: true })
    yield event
  }
}

export function coordinationStoreOf(actor: Actor): ICoordinationStore {
  const { coordinationStore: store, faults } = actor.world
  const ask = <Answer>(what: string, apply: () => Answer) => actor.call(what, apply, { isShort: true })
  return {
    get: (key) => ask('get', () => store.get(key)),
    setIfNotExist: (key, value, options) =>
      ask('set if not exist', () => !faults.isBlind && store.setIfNotExist(key, value, options)),
    compareAndSet: (key, expected, value, options) =>
      ask('compare and set', () => !faults.isBlind && store.compareAndSet(key, expected, value, options)),
    compareAndDelete: (key, expected) => ask('compare and delete', () => store.compareAndDelete(key, expected)),
    increment: (key, by, options) => ask('increment', () => store.increment(key, by, options)),
    extendTTL: (key, ttlMs) => ask('extend', () => store.extendTTL(key, ttlMs)),
    delete: (key) => ask('delete', () => store.delete(key)),
    close: () => {},
  }
}
