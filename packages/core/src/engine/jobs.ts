import { type InstanceId, nodeOfInstance } from '../model/ids.ts'
import type { RunHead } from '../model/run.ts'
import type { Job } from '../ports/job-queue.ts'
import type { DueItem } from '../ports/run-store.ts'

type JobHead = Pick<RunHead, 'runId' | 'flowId' | 'version' | 'priority'>

/** The job that wakes a worker for an instance. */
export function jobFor(head: JobHead, instanceId: InstanceId, dispatch: number): Job {
  return {
    runId: head.runId,
    blueprintId: head.flowId,
    nodeId: nodeOfInstance(instanceId),
    instanceId,
    dispatch,
    ...(head.version === undefined ? {} : { version: head.version }),
    ...(head.priority === 0 ? {} : { priority: head.priority }),
  }
}

/** The reminder for something that is due: one dispatch more than was sent. */
export function reminderFor(item: DueItem & { readonly type: 'instance' }): Job {
  return jobFor(item, item.instanceId, item.dispatch + 1)
}
