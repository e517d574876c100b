/** What a warning of `lintBlueprint` means. The code is stable, the texts are for people. */
export const lintRules = {
  ANY_OF_ONE: {
    about: 'A join of `any` has one predecessor or none, so there is nothing to choose from.',
    hint: 'Add the edge that is missing, or leave `joinStrategy` out.',
  },
  FALLBACK_JOIN_IGNORED: {
    about: 'A fallback has a `joinStrategy`. It gets what the node that it stands in for got, and joins nothing.',
    hint: 'Give the `joinStrategy` to the node that it stands in for.',
  },
  NOTHING_TO_CANCEL: {
    about: 'A join has `cancelLosers`, but all that leads to it leads elsewhere too, so that nothing is called off.',
    hint: 'Leave `cancelLosers` out, or give the branches an end in this join.',
  },
  NO_EDGE_FOR_THE_REST: {
    about: 'Every edge of a node has a condition. Where none of them holds, all behind the node is skipped in silence.',
    hint: 'Add an edge without a condition, or one whose condition holds where the others do not.',
  },
  ACTION_NEVER_RETURNED: {
    about: 'An edge wants an action that its source cannot return, so it is never taken.',
    hint: 'An approval returns `approved` or `denied`; sleeps, waits for a signal, child runs and maps return no action.',
  },
  DENIAL_TAKES_BOTH: {
    about: 'An approval has an edge for `denied` and one without a condition: a denial takes both.',
    hint: 'Give the other edge the action `approved`.',
  },
  DOUBLE_EDGE: {
    about: 'Two edges lead from one node to the same other, and one of them is always taken.',
    hint: 'Remove one of them; whether the other is taken changes nothing but the input.',
  },
  LOOP_WITHOUT_END: {
    about: 'No edge in a loop has a condition: it goes round, whatever happens, until it fails with `MAX_VISITS`.',
    hint: 'Give the edge that leads back a `condition` or an `action`. One on an edge that leads out does not end the loop.',
  },
  LOOP_OF_ONE: {
    about: 'A loop may be visited once, so that leading back always fails with `MAX_VISITS`.',
    hint: 'The first visit counts too: set `maxVisits` to 2 or more.',
  },
  LONELY_NODE: {
    about: 'A node has no edge while others have: it starts with the run, and waits for nothing.',
    hint: 'Add the edge that is missing, or make a flow of its own of it.',
  },
  MAP_OF_NO_LIST: {
    about: 'The input of a map can never be a list, so the map always fails.',
    hint: 'Let one node before it gather the list, or turn what comes into one by a `transform` of the edge.',
  },
  MAP_CONCURRENCY: {
    about: 'A map runs more than 1,000 items at the same time: each of them is claimed and committed for itself.',
    hint: 'Lower `concurrency`; a worker has 16 places unless set.',
  },
  RETRY_NEVER: {
    about: 'A node has a `retry` that allows one attempt, so it is never tried again.',
    hint: 'Set `attempts` to 2 or more.',
  },
  RETRY_OF_FATAL: {
    about: 'A `retry` lists an error that is never tried again.',
    hint: 'Remove it from `errors`; `FatalError` and mistakes such as `INVALID_VALUE` end a node at once.',
  },
  RETRY_ON_WAIT: {
    about: 'A node that only waits has a `retry`. Nothing that happens to it is tried again.',
    hint: 'Leave `retry` out; what is to happen after a denial or in vain goes into a fallback, or behind an edge.',
  },
  RETRY_BEYOND_DEADLINE: {
    about: 'The pauses between the attempts of a node take longer than the run may.',
    hint: 'Lower `attempts` or `maxDelayMs`, or raise `deadlineMs` of the flow.',
  },
  TIMEOUT_BEYOND_DEADLINE: {
    about: 'A node may take longer than the run.',
    hint: 'Lower `timeoutMs`, or raise `deadlineMs` of the flow.',
  },
  WAIT_BEYOND_DEADLINE: {
    about: 'A node sleeps, or waits, as long as the run may take or longer.',
    hint: 'Wait for a shorter time, or raise `deadlineMs` of the flow.',
  },
} as const satisfies Record<string, { readonly about: string; readonly hint: string }>

export type LintCode = keyof typeof lintRules
