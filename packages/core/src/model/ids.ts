/**
 * Ids, checked once at the door. Inside, the branded type is the proof that somebody checked.
 *
 * An instance id is a path that a person can read: `node` is the node's first visit, `node#2` the second, `node[7]`
 * item 7 of a map, `node#2[7]` item 7 of the second visit. In nested loops the outermost comes first: `node#2#3` is the
 * third visit of the inner loop in the second of the outer one.
 */
import { BatonError } from './errors.ts'

declare const brand: unique symbol
type Brand<Name extends string> = string & { readonly [brand]: Name }

export type RunId = Brand<'RunId'>
export type NodeId = string
export type InstanceId = string
export type EdgeId = string
/** Grows by one with every claim of an instance; the newest claim alone may commit. */
export type Fence = number

const RUN_ID = /^[A-Za-z0-9._:@-]{1,128}$/
// Node ids leave out what instance ids are built from, and slashes, so that an id can name a file or a URL part. Lone
// surrogates too: they do not survive UTF-8, so that two ids could become one.
const NODE_ID = /^[^#[\]/\s\p{Cc}\p{Cs}]{1,128}$/u
const RESERVED = new Set(['.', '..', '__proto__', 'constructor', 'prototype'])

export function parseRunId(text: unknown, field = 'runId'): RunId {
  if (typeof text !== 'string' || !RUN_ID.test(text) || RESERVED.has(text)) throw invalid(field, text)
  return text as RunId
}

/** Flow ids and versions share the rule of run ids, since they become parts of keys and file names as well. */
export function parseFlowId(text: unknown, field = 'flowId'): string {
  if (typeof text !== 'string' || !RUN_ID.test(text) || RESERVED.has(text)) throw invalid(field, text)
  return text
}

/** What people call a flow in one version: `orders@2`. */
export function flowAtVersion(flowId: string, version: string | undefined): string {
  return version === undefined ? flowId : `${flowId}@${version}`
}

export function isNodeId(text: unknown): text is NodeId {
  return typeof text === 'string' && NODE_ID.test(text) && !RESERVED.has(text)
}

export function parseSignalName(text: unknown, field = 'signal'): string {
  if (typeof text !== 'string' || !RUN_ID.test(text) || RESERVED.has(text)) throw invalid(field, text)
  return text
}

function invalid(field: string, text: unknown): BatonError {
  const shown =
    typeof text === 'string' ? JSON.stringify(text.length > 64 ? `${text.slice(0, 61)}...` : text) : typeof text
  return new BatonError('INVALID_ID', { field, message: `not a usable id: ${shown}` })
}

export function itemInstanceId(map: InstanceId, index: number): InstanceId {
  return `${map}[${index}]`
}

/** The blueprint node that an instance belongs to: `node#2[7]` → `node`. */
export function nodeOfInstance(instanceId: InstanceId): NodeId {
  const visit = instanceId.indexOf('#')
  const item = instanceId.indexOf('[')
  if (visit === -1 && item === -1) return instanceId
  return instanceId.slice(0, visit === -1 ? item : item === -1 ? visit : Math.min(visit, item))
}

/** The edge on which an item arrives at its map. None of a blueprint is called like it. */
export function itemEdge(index: number): EdgeId {
  return `[${index}]`
}

/** The map instance and index of an item, or undefined when the instance is no item: `node[7]` → `node`, 7. */
export function parentOfItem(instanceId: InstanceId): { readonly map: InstanceId; readonly index: number } | undefined {
  if (!instanceId.endsWith(']')) return undefined
  const open = instanceId.lastIndexOf('[')
  return { map: instanceId.slice(0, open), index: Number(instanceId.slice(open + 1, -1)) }
}

const NO_VISITS: readonly number[] = []

/** The instance of a node at a visit of each loop that it is in, outermost first. First visits at the end go unsaid. */
export function visitedId(nodeId: NodeId, visits: readonly number[]): InstanceId {
  let said = visits.length
  while (said > 0 && visits[said - 1] === 1) said -= 1
  let id = nodeId
  for (let place = 0; place < said; place++) id += `#${visits[place]}`
  return id
}

/** @param depth how many loops its node is in */
export function visitsOf(instanceId: InstanceId, depth: number): readonly number[] {
  if (depth === 0) return NO_VISITS
  const visits = new Array<number>(depth).fill(1)
  let start = instanceId.indexOf('#')
  for (let place = 0; place < depth && start !== -1; place++) {
    const next = instanceId.indexOf('#', start + 1)
    // What follows the number, the item of a map or the mark of a turn, is no part of it.
    visits[place] = Number.parseInt(instanceId.slice(start + 1, next === -1 ? undefined : next), 10)
    start = next
  }
  return visits
}

/**
 * The turn of a loop, where the visit of its body ends and the next one begins: `header#2!` follows the second visit.
 * It belongs to the node that the loop begins with.
 */
export function turnId(header: NodeId, visits: readonly number[]): InstanceId {
  return `${header}#${visits.join('#')}!`
}

/** A node's own id may end in the same mark, but never says a visit. */
export function isTurn(instanceId: InstanceId): boolean {
  return instanceId.endsWith('!') && instanceId.includes('#')
}
