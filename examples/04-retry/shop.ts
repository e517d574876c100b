/** A shop as shops are: the first call of the day is never answered, and some calls never are. */
import { FatalError } from '@baton/core'

/** @returns undefined when it wants to be asked later */
export async function askShop(what: string, attempt: number): Promise<number | undefined> {
  if (what === 'stone') throw told(what, attempt, new FatalError('the shop sells no stone'))
  if (what === 'cake' || attempt === 1) throw told(what, attempt, new Error('the shop does not answer'))
  if (attempt === 2) return say(what, attempt, 'ask me later', undefined)
  return say(what, attempt, '4 €', 4)
}

/** The prices of yesterday. */
export function remembered(what: string): number | undefined {
  return { tea: 5, cake: 3 }[what]
}

function told(what: string, attempt: number, error: Error): Error {
  return say(what, attempt, error.message, error)
}

function say<Value>(what: string, attempt: number, text: string, value: Value): Value {
  console.log(`  ${what}, attempt ${attempt}: ${text}`)
  return value
}
