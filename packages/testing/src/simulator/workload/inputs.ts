/** What runs are started with: a number, and whose it is where the flow has a limit for each customer. */
import { hash } from '../../dice.ts'

export function inputOf({ isKeyed }: { readonly isKeyed: boolean }, number: number): unknown {
  return isKeyed ? { number, customer: `c${number % 2}` } : number
}

/** What a run gives the one that goes on for it. */
export function continuedInput(runId: string): number {
  return hash(`${runId} goes on`) % 100
}

/** What a run gives a child. */
export function childInput(runId: string, instanceId: string): number {
  return hash(`${runId} ${instanceId}`) % 100
}
