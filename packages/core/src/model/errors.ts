/**
 * Failure has words too. Every error that leaves Baton is a `BatonError` with a code from this table; the code is
 * stable, the message is for people. `docs/errors.md` is generated from it.
 *
 * `retryable` says whether doing the same again may help: true for outages, false for mistakes.
 */
export const errors = {
  // Bad input: refused whole, nothing was written.
  INVALID_BLUEPRINT: {
    retryable: false,
    about: 'A blueprint does not describe a graph that can run.',
    hint: 'Correct the field that the error names; `toBlueprint()` of a flow always gives a valid shape.',
  },
  INVALID_ID: {
    retryable: false,
    about: 'A run, node, flow or signal id has characters or a length that no store accepts.',
    hint: 'Use 1 to 128 of the characters A-Z a-z 0-9 . _ : @ - and not "." or ".." alone.',
  },
  INVALID_OPTION: {
    retryable: false,
    about: 'An option, an argument or an environment variable has a value that cannot be used.',
    hint: 'The error names the option and what it accepts.',
  },
  INVALID_JOB: {
    retryable: false,
    about: 'A message in the queue is not a job: it is not JSON, or a field is missing or of the wrong type.',
    hint: 'Send `{ runId, blueprintId, nodeId }`, or let the Baton client send it.',
  },
  INVALID_VALUE: {
    retryable: false,
    about:
      'A value cannot be kept (a function, a symbol, a class instance, a cycle, or it is nested too deeply), or it does not fit the schema of its flow or node.',
    hint: 'Keep plain data: JSON, Date, Map, Set, bigint, bytes and errors. The error gives the path of the value, and what its schema says.',
  },
  FORBIDDEN_KEY: {
    retryable: false,
    about: 'A key would reach into the prototype of objects: `__proto__`, `constructor` or `prototype`.',
    hint: 'Rename the key.',
  },
  DELTA_CONFLICT: {
    retryable: true,
    about:
      'A context change does not fit what is there: incrementing a text, appending to a number, or an `ifVersion` that has passed.',
    hint: 'The attempt failed and wrote nothing. Read the value again, or use the matching operation.',
  },
  TOO_LARGE: {
    retryable: false,
    about: 'A value or a transition is larger than the store takes in one piece.',
    hint: 'Keep large data outside the run and pass a reference, or raise the limit of the store.',
  },
  // The registry and blueprints of this process.
  UNKNOWN_FLOW: {
    retryable: false,
    about: 'No blueprint with this id (and version) is registered in this process.',
    hint: 'Pass the flow to the client, worker or runtime, or deploy a worker that has it.',
  },
  UNKNOWN_NODE_FUNCTION: {
    retryable: false,
    about: 'A node names code by `uses` that the registry of this process does not have.',
    hint: 'Register the function under that name, or correct `uses`.',
  },
  VERSION_CONFLICT: {
    retryable: false,
    about: 'One flow version was registered with two different contents.',
    hint: 'Give the changed flow a new version.',
  },
  NODE_GONE: {
    retryable: false,
    about: 'A run needs a node that the flow has no more.',
    hint: 'Give changed flows a version, so that runs under way keep the one that they were started with.',
  },
  // Runs.
  UNKNOWN_RUN: {
    retryable: false,
    about: 'The store has no run with this id.',
    hint: 'Check the id and that both sides use the same store; a finished run is removed after its retention.',
  },
  UNKNOWN_SCHEDULE: {
    retryable: false,
    about: 'There is no schedule with this id, or it has ended or was deleted, and can no longer be told anything.',
    hint: 'Check the id and the store; `list()` of the schedules shows those that live.',
  },
  SCHEDULE_EXISTS: {
    retryable: false,
    about: 'A schedule with this id exists and says something else.',
    hint: 'Change it with `update`, delete it, or use another id.',
  },
  RUN_EXISTS: {
    retryable: false,
    about: 'A run with this id or idempotency key exists and was started with another flow or input.',
    hint: 'Use another id, or start it with the same input to get the same run.',
  },
  RUN_FAILED: {
    retryable: false,
    about: 'The run ended as failed, and its result was asked for.',
    hint: 'The cause is the error of the node that failed; the journal has every attempt.',
  },
  RUN_CANCELLED: {
    retryable: false,
    about: 'The run was cancelled, and its result was asked for.',
    hint: 'The reason given to cancel is in the message.',
  },
  RUN_TIMEOUT: {
    retryable: false,
    about: 'The run passed its deadline.',
    hint: 'Raise `deadlineMs` of the start, or look in the journal for what took so long.',
  },
  RUN_ENDED: {
    retryable: false,
    about: 'The run has ended; news no longer reaches it.',
    hint: 'Read its result, or branch from one of its checkpoints.',
  },
  APPROVAL_CONFLICT: {
    retryable: false,
    about: 'An approval was decided before, and differently. The first decision stands.',
    hint: 'Read the decision from the run; to go another way, branch from before the approval.',
  },
  JOURNAL_FULL: {
    retryable: false,
    about: 'The journal of a run has reached its greatest length, and the run was paused.',
    hint: 'Raise `journalMaxEvents` of the workers and unpause the run, or cancel it. What is to run for ever calls `continueAsNew` before.',
  },
  NOT_REDRIVABLE: {
    retryable: false,
    about: 'There is no failed work that could be done over, or not at this place and time.',
    hint: 'Dead letters are in `deadLetters` of the run. A run that was cancelled, or whose deadline has passed, is started anew.',
  },
  UNKNOWN_APPROVAL: {
    retryable: false,
    about: 'The run does not wait for an approval of this name.',
    hint: 'Read `pendingApproval` of the run.',
  },
  // Why a node failed.
  NODE_FAILED: {
    retryable: true,
    about: 'Node code threw.',
    hint: 'Throw `FatalError` where trying again cannot help; set `retry` on the node where it can.',
  },
  NODE_TIMEOUT: {
    retryable: true,
    about: 'A node ran longer than its `timeoutMs`.',
    hint: 'Pass `signal` to what the node waits for, or raise `timeoutMs`.',
  },
  LEASES_LOST: {
    retryable: false,
    about: 'Workers died or froze while they ran this node, more often than `maxLostLeases` allows.',
    hint: 'The node probably kills its process: look for memory, native code and blocked event loops.',
  },
  APPROVAL_DENIED: {
    retryable: false,
    about: 'Somebody denied the approval that the node waited for.',
    hint: 'Give the node an edge with the action `denied` to go on in another way.',
  },
  WAIT_TIMEOUT: {
    retryable: false,
    about: 'A node waited for a signal or approval longer than its `timeoutMs`.',
    hint: 'Catch it in the node, or wait longer.',
  },
  PREDECESSOR_FAILED: {
    retryable: false,
    about: 'A join failed because a node before it failed.',
    hint: 'Repair the predecessor, give it a `fallback`, or use `joinStrategy: "any"` with `anyFailure: "ignore"`.',
  },
  MAP_FAILED: {
    retryable: false,
    about: 'More items of a map failed than its `maxFailures` allows.',
    hint: 'The errors of the items are in the journal, under `node[index]`.',
  },
  MAX_VISITS: {
    retryable: false,
    about: 'A loop was to be visited more often than the `maxVisits` of its back edge allows.',
    hint: 'Look at what should have ended it, the condition or action of the edge that leads back; or allow more visits.',
  },
  STEPS_DIVERGED: {
    retryable: false,
    about: 'A node asked for its steps in another order or kind than the attempt that recorded them.',
    hint: 'Code around steps must not depend on time or chance; give changed code a new flow version.',
  },
  // Infrastructure: never a node failure.
  STORE_UNAVAILABLE: {
    retryable: true,
    about: 'The store did not answer, or answered with an error of its own.',
    hint: 'Nothing was written, or it was written once; the same call again is safe.',
  },
  STORE_CORRUPT: {
    retryable: false,
    about: 'What the store holds for a run contradicts itself. That run is stopped; others go on.',
    hint: 'Keep a copy of the run, then restore it from a backup or remove it.',
  },
  JOURNAL_REWOUND: {
    retryable: true,
    about:
      'The server of the store was set back, by a failover or a backup, and has lost events of a journal that were read.',
    hint: 'Read the journal again from its first event, and forget what was read of it before.',
  },
  QUEUE_UNAVAILABLE: {
    retryable: true,
    about: 'The queue did not answer. Runs go on, more slowly: the store wakes workers instead.',
    hint: 'Restore the queue; nothing is lost.',
  },
  MISSING_ADAPTER: {
    retryable: false,
    about: 'The package for this store or queue is not installed.',
    hint: 'Install the package that the message names.',
  },
  CLOSED: {
    retryable: false,
    about: 'A store, queue, worker or client was used after it was closed.',
    hint: 'Create a new one.',
  },
  ATTEMPT_ENDED: {
    retryable: false,
    about: 'Node code went on after its attempt had ended: its lease was lost, it timed out, or the run was cancelled.',
    hint: 'Stop when `signal` fires; what the attempt does afterwards is refused.',
  },
} as const satisfies Record<string, ErrorRow>

interface ErrorRow {
  readonly retryable: boolean
  readonly about: string
  readonly hint: string
}

export type ErrorCode = keyof typeof errors

export interface ErrorDetails {
  /** The argument, option or path within a value that is wrong, e.g. `nodes[3].uses`. */
  readonly field?: string
  /** What happened, in words; the default is the code's `about`. */
  readonly message?: string
  /** What to do next, when the table's hint can be bettered. */
  readonly hint?: string
  readonly cause?: unknown
  readonly runId?: string
}

// A registered symbol, not `instanceof`: two copies of core in one process recognise each other's errors.
const MARK = Symbol.for('baton.error')
const VERDICT = Symbol.for('baton.verdict')

export class BatonError extends Error {
  override readonly name: string = 'BatonError'
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly hint: string
  readonly runId: string | undefined
  readonly retryable: boolean

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const row = errors[code]
    const where = details.field === undefined ? '' : `${details.field}: `
    super(`${where}${details.message ?? row.about}`, details.cause === undefined ? {} : { cause: details.cause })
    this.code = code
    this.field = details.field
    this.hint = details.hint ?? row.hint
    this.runId = details.runId
    this.retryable = row.retryable
    Object.defineProperty(this, MARK, { value: true })
  }

  static is(error: unknown, code?: ErrorCode): error is BatonError {
    if (typeof error !== 'object' || error === null || !(MARK in error)) return false
    return code === undefined || (error as unknown as BatonError).code === code
  }
}

/** Throw it from a node when trying again cannot help. The attempts left are not used. */
export class FatalError extends Error {
  override readonly name = 'FatalError'
  readonly [VERDICT] = 'fatal'
}

/** Throw it from a node to be tried again, at the earliest after `retryAfterMs`, while attempts are left. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError'
  readonly [VERDICT] = 'retryable'
  readonly retryAfterMs: number | undefined

  constructor(message: string, options: ErrorOptions & { readonly retryAfterMs?: number } = {}) {
    super(message, options)
    this.retryAfterMs = options.retryAfterMs
  }
}

export function isFatalError(error: unknown): error is FatalError {
  return verdictOf(error) === 'fatal'
}

export function isRetryableError(error: unknown): error is RetryableError {
  return verdictOf(error) === 'retryable'
}

function verdictOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null ? (error as { [VERDICT]?: unknown })[VERDICT] : undefined
}

/** An error as the journal keeps it. */
export interface RecordedError {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
}

const MAX_MESSAGE = 8_192
const MAX_STACK = 8_192

/**
 * What was thrown, or an error in its place where nobody can look at it: a getter that throws, an object without a text, a
 * revoked proxy. Code may throw anything, and must not take its worker down with it.
 */
export function readableError(thrown: unknown): unknown {
  try {
    recordError(thrown)
    BatonError.is(thrown)
    verdictOf(thrown)
    return thrown
  } catch {
    return new Error('something was thrown that cannot be read')
  }
}

/** What the journal keeps of anything that was thrown. Long texts are cut: a journal is no place for a payload. */
export function recordError(thrown: unknown): RecordedError {
  if (thrown instanceof Error || (typeof thrown === 'object' && thrown !== null && 'message' in thrown)) {
    const error = thrown as { name?: unknown; message?: unknown; code?: unknown; stack?: unknown }
    return {
      name: typeof error.name === 'string' ? error.name : 'Error',
      message: String(error.message).slice(0, MAX_MESSAGE),
      ...(typeof error.code === 'string' ? { code: error.code } : {}),
      ...(typeof error.stack === 'string' ? { stack: error.stack.slice(0, MAX_STACK) } : {}),
    }
  }
  return { name: 'Error', message: String(thrown).slice(0, MAX_MESSAGE) }
}

/** A failure that Baton itself decided, as the journal keeps it. */
export function codedError(code: ErrorCode, detail: string): RecordedError {
  return { name: 'BatonError', code, message: `${errors[code].about} (${detail})` }
}

/** For the default branch of a `switch` over a union: a new member is then a compile error. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}
