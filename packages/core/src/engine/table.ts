/**
 * Objects of values by node id. Nearly every join of a large graph has its own ids: made as `{}`, each such object would
 * be a new shape to the JavaScript engine, and cost several times as much. Without a prototype it is a plain table from
 * the start; it gets the usual prototype when it is full. Node ids are no names that reach into a prototype:
 * `check-blueprint.ts` keeps those out.
 */
export type Table = { [nodeId: string]: unknown }

export function newTable(): Table {
  return Object.create(null)
}

export function asPlainObject(table: Table): Table {
  return Object.setPrototypeOf(table, Object.prototype)
}
