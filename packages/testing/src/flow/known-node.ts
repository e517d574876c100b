import { BatonError } from '@baton/core'
import { nearestName } from '@baton/core/adapter'

/** The nodes that a flow has. */
export interface KnownNodes {
  readonly flowId: string
  readonly nodeIds: readonly string[]
}

/** Refuses the name of a node that the flow has not: a slip must not be taken for a node of which nothing is to be seen. */
export function assertKnownNode(nodeId: string, { flowId, nodeIds }: KnownNodes, field: string): void {
  if (nodeIds.includes(nodeId)) return
  const nearest = nearestName(nodeId, nodeIds)
  const hint = nearest === undefined ? `Its nodes: ${nodeIds.join(', ')}.` : `Did you mean \`${nearest}\`?`
  throw new BatonError('INVALID_OPTION', { field, message: `flow ${flowId} has no node ${nodeId}`, hint })
}
