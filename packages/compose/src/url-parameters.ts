/** What stands behind the `?` of a URL. */
import { mistake } from './mistake.ts'

/** Throws `INVALID_OPTION` for a name that is not known here. */
export function parametersOf<Name extends string>(
  query: string,
  names: readonly Name[],
  field: string,
): { readonly [name in Name]?: string } {
  const parameters: { [name in Name]?: string } = {}
  for (const [given, value] of new URLSearchParams(query)) {
    const name = names.find((known) => known === given)
    if (name === undefined) {
      throw mistake(field, `there is no ?${given}=`, `There are ${names.map((each) => `${each}=`).join(', ')}.`)
    }
    parameters[name] = value
  }
  return parameters
}

export function isTrue(value: string | undefined, name: string, field: string): boolean {
  if (value === undefined || value === 'false') return false
  if (value === 'true') return true
  throw mistake(field, `${name} must be true or false, not ${JSON.stringify(value)}`, `Write ?${name}=true.`)
}

/** In two, at the first mark; in one where there is none. */
export function partedAt(text: string, mark: string): readonly string[] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
