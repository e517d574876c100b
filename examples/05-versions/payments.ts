/**
 * A payment in two versions. The second one books what it did as well; everything else is as it was.
 *
 * Both are data, and a worker gets the functions of the version that it was built with. In your code they would be two
 * states of one file, a week apart; here they lie side by side, so that one program can play both deploys.
 */
import { appendFileSync } from 'node:fs'
import type { NodeArguments, WorkflowBlueprint } from '@baton/core'

export const paymentsV1: WorkflowBlueprint = {
  id: 'payment-processor',
  metadata: { version: '1.0.0' },
  nodes: [
    { id: 'validate', uses: 'validate-payment' },
    { id: 'process', uses: 'process-payment-v1' },
  ],
  edges: [{ source: 'validate', target: 'process' }],
}

export const paymentsV2: WorkflowBlueprint = {
  id: 'payment-processor',
  metadata: { version: '2.0.0' },
  nodes: [
    { id: 'validate', uses: 'validate-payment' },
    { id: 'process', uses: 'process-payment-v2' },
    { id: 'audit', uses: 'audit-payment' },
  ],
  edges: [
    { source: 'validate', target: 'process' },
    { source: 'process', target: 'audit' },
  ],
}

export interface Payment {
  readonly euros: number
}

/** What a worker of one version is given. It writes down what its functions did. */
export function codeOf(version: string, witness: string) {
  const write = ({ runId, nodeId }: Pick<NodeArguments, 'runId' | 'nodeId'>) =>
    appendFileSync(witness, `${runId}: ${nodeId}, by a worker with ${version}\n`)

  const validate = (args: NodeArguments<Payment>) => {
    write(args)
    return { output: args.input }
  }
  // The bank may take days to answer. No worker is held meanwhile, and the run outlives every deploy.
  const process = async (args: NodeArguments<Payment>) => {
    const bank = await args.waitForSignal<string>('bank')
    write(args)
    return { output: `${args.input.euros} € ${bank}` }
  }
  const audit = (args: NodeArguments<string>) => {
    write(args)
    return { output: `${args.input}, booked` }
  }

  return version === '1.0.0'
    ? { blueprints: [paymentsV1], registry: { 'validate-payment': validate, 'process-payment-v1': process } }
    : {
        blueprints: [paymentsV2],
        registry: { 'validate-payment': validate, 'process-payment-v2': process, 'audit-payment': audit },
      }
}
