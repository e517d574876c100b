/** What must be true after every step: which of these the referee checks, where, and why not the others. */

export interface Invariant {
  readonly about: string
  /** Where it is checked, or why it is not. */
  readonly checked: string | false
  readonly because?: string
}

export const invariants = {
  I1: { about: 'what an attempt does takes effect at most once', checked: 'run-model.ts: one fate per instance' },
  I2: {
    about: 'a join or a turn of a loop fires once, when its rule is met',
    checked: 'join-rules.ts, on the blueprint',
  },
  I3: { about: 'no run is stuck', checked: 'liveness.ts, once all faults are healed' },
  I4: { about: 'a start that returned is never lost', checked: 'referee.ts: the run is there after every step' },
  I5: { about: 'a terminal status is final', checked: 'run-model.ts: nothing follows it; the summary never changes' },
  I6: { about: 'a journal has no gap, and folds to the state', checked: 'run-model.ts and state-check.ts' },
  I7: { about: 'a stale fence changes nothing', checked: 'run-model.ts and referee.ts: commits and renewals' },
  I8: {
    about: 'cancel wins or loses, and a pause holds',
    checked: 'run-model.ts, end-check.ts: nothing starts after it',
  },
  I9: { about: 'a message is consumed once', checked: 'run-model.ts and tree.ts: signals, over all runs of a row' },
  I10: { about: 'open instances are counted right', checked: 'state-check.ts' },
  I11: { about: 'an approval is decided once', checked: 'run-model.ts, and what operators were answered' },
  I12: { about: 'the queue changes nothing but time', checked: 'all others, under a queue that does what it likes' },
  I13: { about: 'a run keeps to its version', checked: 'referee.ts: whose code it is that runs' },
  I14: {
    about: 'a run that begins where another one was leaves that one alone',
    checked: 'referee.ts and end-check.ts: no event comes to it, and its journal stays what it was',
  },
  I15: { about: 'timers fire once and never early', checked: 'run-model.ts: nothing is claimed before its time' },
  I16: { about: 'attempts and lost leases are bounded', checked: 'run-model.ts, by the policies of the blueprint' },
  I17: { about: 'nothing that a live run needs is removed', checked: 'state-check.ts: instances, steps, arrivals' },
  I18: { about: 'what is ready is sent for, in the end', checked: 'liveness.ts: lost jobs are made up for' },
  // What no single line of the list says.
  TREE: { about: 'runs start, call off and hear of each other once', checked: 'tree.ts and family-model.ts' },
  ROW: {
    about: 'a run that goes on as new has one successor, with all that is to go along',
    checked: 'succession-model.ts and tree.ts',
  },
  LIMIT: {
    about: 'never more runs than a limit allows, and every slot comes back',
    checked: 'limiter-model.ts, by the journals; all-limits.ts',
  },
  REDO: {
    about: 'failed work is done over, and what was done is not',
    checked: 'beginning-again.ts and reopening.ts',
  },
  PUBLISH: {
    about: 'a journal is published whole, and what is new of it in order; nothing else is',
    checked: 'published.ts, where it arrives and where it is noted; state-check.ts',
  },
  P2: { about: 'a recorded step is not done again, and no code runs without a claim', checked: 'witness-log.ts' },
  RESULT: { about: 'the result is what the flow says', checked: 'oracle.ts, where it does not depend on time' },
} as const satisfies Record<string, Invariant>

export type InvariantId = keyof typeof invariants
