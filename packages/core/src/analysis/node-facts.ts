import { type BlueprintNode, defaults } from '../model/blueprint.ts'
import { APPROVAL, CHILD, SLEEP, WAIT_FOR_SIGNAL } from '../model/built-in-uses.ts'
import type { JsonObject } from '../model/json.ts'
import { duration } from './duration.ts'
import type { ViewedNode } from './graph-view.ts'

/** What is special about a node, in few words each. */
export function nodeFacts({ node, isJoin, standsInFor }: ViewedNode): string[] {
  const { map, retry, timeoutMs } = node.config ?? {}
  const facts: string[] = []
  if (standsInFor === undefined && isJoin) facts.push(joinFact(node))
  if (map !== undefined) facts.push(`for each item, ${map.concurrency ?? defaults.mapConcurrency} at a time`)
  const wait = waitFact(node)
  if (wait !== undefined) facts.push(wait)
  if ((retry?.attempts ?? defaults.attempts) > 1) facts.push(`${retry?.attempts} attempts`)
  if (timeoutMs !== undefined) facts.push(`at most ${duration(timeoutMs)}`)
  return facts
}

function joinFact({ config = {} }: BlueprintNode): string {
  if (config.joinStrategy !== 'any') return 'after all'
  const failures = config.anyFailure === 'ignore' ? ', whoever fails' : ''
  const losers = config.cancelLosers === true ? ', then calls the others off' : ''
  return `after any${failures}${losers}`
}

/** Blueprints may be written by hand, so that `params` are what they like to be. */
function waitFact({ id, uses, params = {} }: BlueprintNode): string | undefined {
  switch (uses) {
    case APPROVAL:
      return params.name === undefined || params.name === id ? 'asks people' : `asks people: ${String(params.name)}`
    case CHILD:
      return childFact(params)
    case SLEEP:
      return typeof params.delayMs === 'number' ? `waits ${duration(params.delayMs)}` : 'waits'
    case WAIT_FOR_SIGNAL:
      return `waits for the signal ${String(params.signal)}`
    default:
      return undefined
  }
}

function childFact({ flow, version, wait }: JsonObject): string {
  const name = version === undefined ? String(flow) : `${String(flow)}@${String(version)}`
  return wait === false ? `starts ${name} and goes on` : `runs ${name}`
}
