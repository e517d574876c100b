import { type Blueprint, type BlueprintEdge, edgeIdOf } from '../model/blueprint.ts'

/** When an edge is taken and what it makes of the output, in few words; empty where there is nothing to say. */
export function edgeLabel(edge: BlueprintEdge, { id: flowId }: Blueprint): string {
  const { action, condition, transform, loop } = edge
  const ownName = `${flowId}/${edgeIdOf(edge)}`
  const parts: string[] = []
  if (action !== undefined) parts.push(action)
  // The name that `createFlow` gives a function says no more than where it stands.
  if (condition !== undefined)
    parts.push(condition === `${ownName}#condition` ? 'if its condition holds' : `if ${condition}`)
  if (transform !== undefined) parts.push(transform === `${ownName}#transform` ? 'transformed' : `by ${transform}`)
  if (loop !== undefined) parts.push(`at most ${loop.maxVisits} visits`)
  return parts.join(', ')
}
