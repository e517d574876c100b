/** A package that a URL needs is loaded when it is asked for; where it is not installed, the error says how to get it. */
import { BatonError } from '@baton/core'
import { type Address, schemeOf } from './addresses.ts'

/** @param names the packages that have to be there, the one of ours first */
export async function loadAdapter<Module>(
  address: Address,
  names: readonly string[],
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load()
  } catch (error) {
    throw names.some((name) => isMissing(error, name)) ? missingAdapter(address, names, error) : error
  }
}

export function missingAdapter(address: Address, names: readonly string[], cause?: unknown): BatonError {
  const [ours = ''] = names
  return new BatonError('MISSING_ADAPTER', {
    field: address.field,
    message: `${schemeOf(address)}: URLs need ${ours}`,
    hint: `Install it: npm install ${names.join(' ')}`,
    cause,
  })
}

/** Told apart from a package that is there and lacks something itself. */
function isMissing(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.includes(`'${name}'`)
  )
}
