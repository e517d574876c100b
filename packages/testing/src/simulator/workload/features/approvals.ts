import { hash } from '../../../dice.ts'
import type { Feature } from '../feature.ts'

/** Asks people. Who denies fails the node. */
export const approvals: Feature = {
  name: 'approvals',
  operation: (_dice, index) => ({
    name: `approval-${index}`,
    run: async ({ args }) => {
      await args.approval(`ok-${index}`)
    },
    fails: (seed, runId, instanceId) => !isApproved(seed, runId, `${instanceId}:ok-${index}`),
  }),
}

export const impatientApprovals: Feature = {
  name: 'impatient approvals',
  isRacy: true,
  operation: (dice, index) => {
    const timeoutMs = 200 + dice.below(2_000)
    return {
      name: `approval-${index}`,
      run: async ({ args }) => {
        await args.approval(`ok-${index}`, { timeoutMs })
      },
    }
  },
}

/** What people say, where the result of a run must not depend on who asks them. */
export function isApproved(seed: number, runId: string, approvalId: string): boolean {
  return hash(`${seed} ${runId} ${approvalId}`) % 8 > 0
}
