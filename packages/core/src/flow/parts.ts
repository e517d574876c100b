import type { EdgePredicate, EdgeTransform } from '../engine/node-function.ts'
import type { FunctionRegistry, RunnableFlow } from '../engine/registry.ts'
import { type BlueprintEdge, type BlueprintNode, edgeIdOf } from '../model/blueprint.ts'
import type { EdgeId, NodeId } from '../model/ids.ts'
import type { StandardSchemaV1 } from '../model/standard-schema.ts'
import type { AnyFunction, NodeCode } from './node-code.ts'

/**
 * What was added, in order. Flows that grow out of each other share one list, and each knows how much of it is its
 * own: building a flow costs the same per call, however long it is.
 */
export interface Parts {
  readonly input: StandardSchemaV1 | undefined
  readonly nodes: Map<NodeId, number>
  readonly edges: Map<EdgeId, number>
  readonly functions: Map<string, NodeCode>
  readonly list: Part[]
}

export type Part =
  | { readonly node: BlueprintNode; readonly code: NodeCode; readonly child?: RunnableFlow }
  | { readonly edge: BlueprintEdge; readonly condition?: EdgePredicate; readonly transform?: EdgeTransform }

export function noParts(input: StandardSchemaV1 | undefined): Parts {
  return { input, nodes: new Map(), edges: new Map(), functions: new Map(), list: [] }
}

export function copyOf({ input }: Parts, list: readonly Part[]): Parts {
  const parts: Parts = { ...noParts(input), list: [...list] }
  for (const part of list) {
    if ('node' in part) {
      parts.nodes.set(part.node.id, parts.nodes.size)
      parts.functions.set(part.node.uses, part.code)
    } else parts.edges.set(edgeIdOf(part.edge), parts.edges.size)
  }
  return parts
}

export function registryOf(
  list: readonly Part[],
  flowId: string,
  input: StandardSchemaV1 | undefined,
): FunctionRegistry {
  const nodes = new Map<string, AnyFunction>()
  const conditions = new Map<string, EdgePredicate>()
  const transforms = new Map<string, EdgeTransform>()
  for (const part of list) {
    if ('node' in part) nodes.set(part.node.uses, part.code.checked)
    else {
      if (part.condition !== undefined) conditions.set(part.edge.condition as string, part.condition)
      if (part.transform !== undefined) transforms.set(part.edge.transform as string, part.transform)
    }
  }
  return { nodes, conditions, transforms, ...(input === undefined ? {} : { inputs: new Map([[flowId, input]]) }) }
}
