import type { NodeFunction } from '../engine/node-function.ts'
import { withSchemas } from '../engine/node-schemas.ts'
import { mistake } from '../model/readers.ts'
import { isStandardSchema, type StandardSchemaV1 } from '../model/standard-schema.ts'

export type AnyFunction = NodeFunction<never, unknown>

/** The code of a node as it was given, and what is called in its place. */
export interface NodeCode {
  readonly fn: AnyFunction
  readonly input: StandardSchemaV1 | undefined
  readonly output: StandardSchemaV1 | undefined
  readonly checked: AnyFunction
}

export function nodeCode(id: string, fn: unknown, input: unknown, output: unknown, field: string): NodeCode {
  if (typeof fn !== 'function') {
    throw mistake(field, `${id} has no function`, `Give it as the second argument: .node('${id}', fn).`)
  }
  assertSchema(input, `${field}.input`)
  assertSchema(output, `${field}.output`)
  const checked = withSchemas(fn as NodeFunction, { input, output }) as AnyFunction
  return { fn: fn as AnyFunction, input, output, checked }
}

export function isSameCode(left: NodeCode, right: NodeCode): boolean {
  return left.fn === right.fn && left.input === right.input && left.output === right.output
}

export function assertSchema(schema: unknown, field: string): asserts schema is StandardSchemaV1 | undefined {
  if (schema === undefined || isStandardSchema(schema)) return
  const hint = 'Give one of zod, valibot, arktype or another library that has Standard Schema v1, not what it infers.'
  throw mistake(field, 'is no Standard Schema', hint)
}
