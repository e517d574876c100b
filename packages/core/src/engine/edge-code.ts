/** The functions of edges, called. They decide here and now: what they give must be the same whoever asks, and when. */
import { BatonError } from '../model/errors.ts'
import type { GraphEdge } from './graph.ts'
import { isPromise } from './node-return.ts'

/** Whether its condition lets the edge be taken. What is neither yes nor no is a slip: taken or not, it would be a guess. */
export function holds({ condition, id }: GraphEdge, output: unknown, action: string | undefined): boolean {
  if (condition === undefined) return true
  const answer: unknown = condition({ output, action })
  if (typeof answer === 'boolean') return answer
  throw wrongAnswer(`the condition of edge ${id} gave`, answer, 'A condition gives true or false, at once.')
}

export function transformed({ transform, id }: GraphEdge, output: unknown): unknown {
  if (transform === undefined) return output
  const given: unknown = transform(output)
  if (!isPromise(given)) return given
  throw wrongAnswer(`the transform of edge ${id} gave`, given, 'A transform gives its value at once.')
}

function wrongAnswer(what: string, answer: unknown, hint: string): BatonError {
  // Nobody waits for it: should it fail later, that is not to end the process.
  if (isPromise(answer)) answer.then(undefined, () => {})
  const given = isPromise(answer) ? 'a promise' : answer === null ? 'null' : typeof answer
  return new BatonError('INVALID_VALUE', { field: 'edge', message: `${what} ${given}`, hint })
}
