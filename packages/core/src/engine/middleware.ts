/**
 * Code around node code: tracing, metrics, logs, checks of who may do what. It runs in the process that runs the node,
 * as part of the attempt: its time counts, what it throws fails the attempt, what it returns is the node's result.
 *
 *   first ─► second ─► node code ─► second ─► first
 *
 * It gets no durable calls: what is recorded must come in the same order on every worker, and they need not have the
 * same middleware.
 */
import { BatonError } from '../model/errors.ts'
import type { RunHead } from '../model/run.ts'
import type { NodeArguments, NodeFunction, NodeReturn } from './node-function.ts'
import type { NodeScope } from './node-scope.ts'

/**
 * @param next calls what is further in, and at last the node's code; once at most. It rejects with `ATTEMPT_ENDED` when
 *   the invocation is over before the code has returned: it sleeps or waits and is entered again later, its time is up,
 *   or it was called off. Let that pass: what is returned then is for nobody.
 */
export type NodeMiddleware = (
  execution: NodeExecution,
  next: () => Promise<NodeReturn<unknown>>,
) => NodeReturn<unknown> | Promise<NodeReturn<unknown>>

type Shown =
  | 'input'
  | 'params'
  | 'signal'
  | 'idempotencyKey'
  | 'runId'
  | 'nodeId'
  | 'instanceId'
  | 'attempt'
  | 'visit'
  | 'itemIndex'
  | 'log'

/** One invocation of a node's code, as middleware sees it. */
export interface NodeExecution extends Pick<NodeArguments, Shown> {
  /** What is fixed about its run: flow and version, tags, lineage, trace ids. */
  readonly run: RunHead
}

/** Settles when both the middleware and the code have ended: until then they use the place that the attempt holds. */
export async function throughMiddleware(
  fn: NodeFunction,
  scope: NodeScope,
  middleware: readonly NodeMiddleware[],
): Promise<unknown> {
  const execution = new Execution(scope)
  let code: Promise<NodeReturn<unknown>> | undefined
  const enter = async (place: number): Promise<NodeReturn<unknown>> => {
    const outer = middleware[place]
    if (outer === undefined) {
      code = call(() => fn(scope))
      return orOver(code, scope)
    }
    let isEntered = false
    return outer(execution, () => {
      if (isEntered) throw calledTwice(scope)
      isEntered = true
      return heard(enter(place + 1))
    })
  }
  try {
    return await enter(0)
  } finally {
    await code?.catch(() => {})
  }
}

async function call(fn: () => NodeReturn<unknown> | Promise<NodeReturn<unknown>>): Promise<NodeReturn<unknown>> {
  return fn()
}

/** Code that parks never returns; who waits for it has to hear of it. */
function orOver<Result>(code: Promise<Result>, scope: NodeScope): Promise<Result> {
  return new Promise((resolve, reject) => {
    scope.onOver(() => reject(new BatonError('ATTEMPT_ENDED', { field: scope.instanceId, runId: scope.runId })))
    code.then(resolve, reject)
  })
}

/** Middleware need not wait for what it has called: the process must not end for that. */
function heard<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {})
  return promise
}

function calledTwice({ instanceId, runId }: NodeScope): BatonError {
  const hint = 'Retries are the business of the node: give it a `retry` policy.'
  return new BatonError('INVALID_OPTION', { field: 'next', message: `called twice for ${instanceId}`, hint, runId })
}

class Execution implements NodeExecution {
  readonly #scope: NodeScope

  constructor(scope: NodeScope) {
    this.#scope = scope
  }

  get run(): RunHead {
    return this.#scope.claim.head
  }

  get input(): unknown {
    return this.#scope.input
  }

  get params(): NodeArguments['params'] {
    return this.#scope.params
  }

  get signal(): AbortSignal {
    return this.#scope.signal
  }

  get idempotencyKey(): string {
    return this.#scope.idempotencyKey
  }

  get runId(): NodeArguments['runId'] {
    return this.#scope.runId
  }

  get nodeId(): string {
    return this.#scope.nodeId
  }

  get instanceId(): string {
    return this.#scope.instanceId
  }

  get attempt(): number {
    return this.#scope.attempt
  }

  get visit(): number {
    return this.#scope.visit
  }

  get itemIndex(): number | undefined {
    return this.#scope.itemIndex
  }

  get log(): NodeArguments['log'] {
    return this.#scope.log
  }
}

/** Absent where there is none: attempts then call their code as ever. */
export function checkMiddleware(middleware: unknown, field = 'middleware'): readonly NodeMiddleware[] | undefined {
  if (middleware === undefined) return undefined
  if (!Array.isArray(middleware)) {
    const hint = 'Write `middleware: [async (execution, next) => next()]`.'
    throw new BatonError('INVALID_OPTION', { field, message: 'must be a list of functions', hint })
  }
  const place = middleware.findIndex((each) => typeof each !== 'function')
  if (place !== -1)
    throw new BatonError('INVALID_OPTION', { field: `${field}[${place}]`, message: 'must be a function' })
  return middleware.length === 0 ? undefined : middleware
}
