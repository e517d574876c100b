import { BatonError } from '../model/errors.ts'
import type { StandardSchemaV1 } from '../model/standard-schema.ts'
import { checkValue } from './check-value.ts'
import type { NodeArguments, NodeFunction, NodeReturn } from './node-function.ts'
import { checkReturn, isPromise } from './node-return.ts'

export interface NodeSchemas {
  readonly input?: StandardSchemaV1 | undefined
  readonly output?: StandardSchemaV1 | undefined
}

/**
 * A node's function with checks around it. They run as part of each attempt, in whatever process makes it: a schema is
 * code, and comes with the function. Nodes without schemas keep their bare function and pay nothing.
 */
export function withSchemas(fn: NodeFunction, { input, output }: NodeSchemas): NodeFunction {
  const call = output === undefined ? fn : withOutput(fn, output)
  return input === undefined ? call : withInput(call, input)
}

function withInput(fn: NodeFunction, schema: StandardSchemaV1): NodeFunction {
  return (args) => {
    const checked = checkValue(schema, args.input, `${args.instanceId}.input`)
    if (!isPromise(checked)) return fn(filled(args, checked))
    return checked.then((value) => {
      // The attempt may be over before its code has begun; then it must not begin.
      if (args.signal.aborted) throw new BatonError('ATTEMPT_ENDED', { runId: args.runId })
      return fn(filled(args, value))
    })
  }
}

/** What a node is given is made for one call of its function, so its input can be put into its place. */
function filled(args: NodeArguments, input: unknown): NodeArguments {
  ;(args as { input: unknown }).input = input
  return args
}

function withOutput(fn: NodeFunction, schema: StandardSchemaV1): NodeFunction {
  return (args) => {
    const place = `${args.instanceId}.output`
    const returned = fn(args)
    return isPromise(returned)
      ? (returned as Promise<NodeReturn<unknown>>).then((later) => checkedReturn(later, schema, place))
      : checkedReturn(returned, schema, place)
  }
}

function checkedReturn(
  returned: unknown,
  schema: StandardSchemaV1,
  place: string,
): NodeReturn<unknown> | Promise<NodeReturn<unknown>> {
  const result = checkReturn(returned)
  const checked = checkValue(schema, result.output, place)
  return isPromise(checked) ? checked.then((output) => ({ ...result, output })) : { ...result, output: checked }
}
