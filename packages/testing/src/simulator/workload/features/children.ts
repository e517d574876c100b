import { BatonError, type ChildHandle } from '@baton/core'
import type { Feature } from '../feature.ts'
import { childInput, inputOf } from '../inputs.ts'

/** Runs that a node starts: it waits for them, at once or later, or leaves them for good. */
export const children: Feature = {
  name: 'children',
  operation: (dice, index, flows) => {
    if (flows.length === 0) return undefined
    const flow = dice.pick(flows)
    const manner = dice.pick(['run', 'run', 'start', 'leave'])
    const childOf = (runId: string, instanceId: string) => ({
      runId: childId(runId, instanceId, index),
      flow,
      input: inputOf(flow, childInput(runId, instanceId)),
    })
    return {
      name: `child-${index} ${manner}`,
      async run({ args }) {
        const { runId, input } = childOf(args.runId, args.instanceId)
        if (manner === 'run') await args.runChild(flow.flow, input, { runId })
        else if (manner === 'leave') await args.startChild(flow.flow, input, { runId, detached: true })
        else {
          const child = await args.startChild(flow.flow, input, { runId })
          await child.result()
        }
      },
      ...(manner === 'leave' ? {} : { awaits: childOf }),
    }
  },
}

/** Children that nobody may wait for, of which two nodes may be the parent, and that may take too long. */
export const unsteadyChildren: Feature = {
  name: 'unsteady children',
  isRacy: true,
  operation: (dice, index, flows) => {
    if (flows.length === 0) return undefined
    const known = dice.pick(flows)
    const { flow } = known
    const timeoutMs = dice.happens(0.4) ? 100 + dice.below(2_000) : undefined
    const options = {
      ...(dice.happens(0.3) ? { detached: true } : {}),
      ...(dice.happens(0.2) ? { deadlineMs: 200 + dice.below(2_000) } : {}),
      ...(dice.happens(0.15) ? { runId: 'everybodys-child' } : {}),
      ...(dice.happens(0.2) ? { priority: dice.below(3) } : {}),
    }
    const patience = timeoutMs === undefined ? {} : { timeoutMs }
    const awaits = dice.happens(0.6)
    const isBrave = dice.happens(0.5)
    const inOneGo = dice.happens(0.5)
    return {
      name: `unsteady-child-${index}`,
      async run({ args }) {
        const input = inputOf(known, childInput(args.runId, args.instanceId))
        try {
          if (inOneGo) await args.runChild(flow, input, { ...options, ...patience })
          else await startAndMaybeWait(await args.startChild(flow, input, options), awaits, patience)
        } catch (error) {
          const isEnd = ['RUN_FAILED', 'RUN_CANCELLED', 'WAIT_TIMEOUT'].some((code) =>
            BatonError.is(error, code as never),
          )
          if (!isBrave || !isEnd) throw error
        }
      },
    }
  },
}

/** News for another run, which may not be there, or not any more. */
export const messages: Feature = {
  name: 'messages',
  operation: (dice, index) => {
    const to = dice.pick(['r0', 'r0', 'r1', 'nobody'])
    return {
      name: `message-${index}`,
      run: ({ args }) => args.signalRun(to, 'news', index),
    }
  },
}

async function startAndMaybeWait(child: ChildHandle, awaits: boolean, options: { timeoutMs?: number }): Promise<void> {
  if (awaits) await child.result(options)
}

function childId(runId: string, instanceId: string, index: number): string {
  return `${runId}.${instanceId.replaceAll(/[[\]#]/g, '-')}.${index}`
}
