/**
 * A copy of plain data that shares no object with it: what leaves the store must not change the store when its new
 * owner changes it. Several times faster than structuredClone for the small things that claims are made of.
 */
export function copyOf<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyOf) as Value
  const copy: { [member: string]: unknown } = {}
  // No list of the names: it would be half of the garbage that a copy makes.
  for (const member in value) {
    if (!Object.hasOwn(value, member)) continue
    const inner = copyOf((value as { readonly [member: string]: unknown })[member])
    putMember(copy, member, inner)
  }
  return copy as Value
}

/**
 * What would be read back after it was written as JSON, without writing it: a copy of plain data that shares no object
 * with it, in which what JSON has no words for has become what JSON makes of it.
 */
export function asWritten<Value>(value: Value): Value {
  if (typeof value === 'number') return (Number.isFinite(value) ? value + 0 : null) as Value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const copy: unknown[] = []
    // Not by `map`, which leaves out what was never put there: JSON has null for that as well.
    for (let index = 0; index < value.length; index++) copy.push(asWritten(value[index]) ?? null)
    return copy as Value
  }
  const copy: { [member: string]: unknown } = {}
  for (const member in value) {
    if (!Object.hasOwn(value, member)) continue
    const inner = asWritten((value as { readonly [member: string]: unknown })[member])
    if (inner === undefined) continue
    putMember(copy, member, inner)
  }
  return copy as Value
}

/** As a member of its own, whatever it is called: an assignment to `__proto__` would change what the copy inherits. */
function putMember(copy: { [member: string]: unknown }, member: string, value: unknown): void {
  if (member !== '__proto__') copy[member] = value
  else Object.defineProperty(copy, member, { value, enumerable: true, configurable: true, writable: true })
}
