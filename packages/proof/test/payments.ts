/**
 * The payments of seed 001 in two versions, beside a flow without one. Each function writes down for which version it was
 * built, outside of the store.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import type { FlowSources, NodeArguments, WorkflowBlueprint } from '@baton/core'

export interface Ran {
  readonly version: string
  readonly workerId: string
  readonly runId: string
  readonly instanceId: string
}

const ID = 'payment-processor'

const v1: WorkflowBlueprint = {
  id: ID,
  metadata: { version: '1.0.0' },
  nodes: [
    { id: 'validate', uses: 'validate-payment' },
    { id: 'process', uses: 'process-payment-v1' },
  ],
  edges: [{ source: 'validate', target: 'process' }],
}

const v2: WorkflowBlueprint = {
  id: ID,
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

/** No version, and no reason to have one. */
const receipts: WorkflowBlueprint = {
  id: 'receipts',
  nodes: [
    { id: 'write', uses: 'write-receipt' },
    { id: 'send', uses: 'send-receipt' },
  ],
  edges: [{ source: 'write', target: 'send' }],
}

interface WitnessOptions {
  readonly path: string
  readonly workerId: string
}

/** What a process that was built with this version has. */
export function paymentsOf(version: string, { path, workerId }: WitnessOptions): FlowSources {
  const see = ({ runId, instanceId }: Pick<NodeArguments, 'runId' | 'instanceId'>) =>
    // One write to a file opened for appending: neither torn nor lost, whatever the other processes do.
    appendFileSync(path, `${JSON.stringify({ version, workerId, runId, instanceId } satisfies Ran)}\n`)
  const pass = (args: NodeArguments) => {
    see(args)
    return { output: args.input }
  }
  const process = async (args: NodeArguments) => {
    see(args)
    const answer = await args.waitForSignal<string>('bank')
    see(args)
    return { output: `${answer} by ${version}` }
  }
  const common = { 'validate-payment': pass, 'write-receipt': pass, 'send-receipt': pass }
  return version === '1.0.0'
    ? { blueprints: [v1, receipts], registry: { ...common, 'process-payment-v1': process } }
    : { blueprints: [v2, receipts], registry: { ...common, 'process-payment-v2': process, 'audit-payment': pass } }
}

export function ranIn(path: string): readonly Ran[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Ran)
}
