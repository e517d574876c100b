/** The clock and the chance of the process with somebody told of each question. They answer as they always do. */

type Undo = () => void

type Tell = (what: string) => void

let undo: readonly Undo[] = []
let watchers = 0

/** All who watch at the same time are to be told in the same way. @returns the end of it, once for each who began */
export function watchGlobals(tell: Tell): Undo {
  if (watchers++ === 0) {
    undo = [
      watchDate(tell),
      watch(Math, 'random', 'Math.random()', tell),
      watch(globalThis.performance, 'now', 'performance.now()', tell),
      watch(globalThis.crypto, 'randomUUID', 'crypto.randomUUID()', tell),
    ]
  }
  return () => {
    watchers -= 1
    if (watchers === 0) for (const back of undo) back()
  }
}

function watch<Member extends string>(
  owner: { [name in Member]: () => unknown },
  member: Member,
  what: string,
  tell: Tell,
): Undo {
  const own = Object.getOwnPropertyDescriptor(owner, member)
  const original = owner[member]
  const watched = function (this: unknown, ...args: []) {
    tell(what)
    return original.apply(this, args)
  }
  Object.defineProperty(owner, member, { value: watched, configurable: true, writable: true })
  return () => {
    if (own === undefined) Reflect.deleteProperty(owner, member)
    else Object.defineProperty(owner, member, own)
  }
}

/** `Date.now()`, `new Date()` and `Date()`; a date that is made of something is no question. */
function watchDate(tell: Tell): Undo {
  const real = globalThis.Date
  const unwatchNow = watch(real, 'now', 'Date.now()', tell)
  const watched: DateConstructor = new Proxy(real, {
    construct: (target, args, newTarget): object => {
      if (args.length === 0) tell('new Date()')
      return Reflect.construct(target, args, newTarget === watched ? target : newTarget)
    },
    apply: (target, self, args) => {
      tell('Date()')
      return Reflect.apply(target, self, args)
    },
  })
  globalThis.Date = watched
  return () => {
    globalThis.Date = real
    unwatchNow()
  }
}
