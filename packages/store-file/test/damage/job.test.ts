/** The text of a job, hurt at every byte: it is not delivered as another one, and holds nobody up. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Job, parseJob } from '@baton/core/adapter'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileJobQueue } from '../../src/job-queue.ts'
import { type TestFolder, testFolder } from '../folder.ts'
import { cuts, flips, type Hurt } from './hurt.ts'

let folder: TestFolder
beforeEach(() => {
  folder = testFolder()
})
afterEach(() => folder.remove())

const ways: readonly { readonly what: string; readonly hurts: (whole: Buffer) => Iterable<Hurt> }[] = [
  { what: 'cut', hurts: cuts },
  { what: 'with a bit flipped', hurts: flips },
]

describe.each(ways)('the text of a job, $what at any byte', ({ hurts }) => {
  it('is not delivered but put among the dead, and the next job comes', { timeout: 120_000 }, async () => {
    const job = jobFor('n0', 0)
    const whole = await segmentOf(job)

    for (const hurt of hurts(whole.subarray(0, -1))) {
      const [sender, queue] = [0, 1].map(() => new FileJobQueue({ directory: folder.path })) as [Queue, Queue]
      await sender.enqueue([job])
      const { pending, dead } = foldersOf()
      const [name = ''] = readdirSync(pending)
      writeFileSync(join(pending, name), hurt.bytes)
      // From another process, whose texts lie in another file. It goes last.
      await queue.enqueue([jobFor('next', -1)])
      const delivered = await untilNode(queue, 'next')
      await queue.close()
      await sender.close()

      expect(delivered, hurt.how).toEqual(['next'])
      expect(readdirSync(dead), hurt.how).toHaveLength(2)
      rmSync(join(folder.path, 'queue'), { recursive: true })
    }
  })
})

type Queue = FileJobQueue

const jobFor = (instanceId: string, priority: number): Job =>
  parseJob({ runId: 'a', blueprintId: 'flow', instanceId, dispatch: 0, priority })

const foldersOf = () => ({
  pending: join(folder.path, 'queue', 'pending'),
  dead: join(folder.path, 'queue', 'dead'),
})

async function segmentOf(job: Job): Promise<Buffer> {
  const queue = new FileJobQueue({ directory: folder.path })
  await queue.enqueue([job])
  const { pending } = foldersOf()
  const whole = readFileSync(join(pending, readdirSync(pending)[0] ?? ''))
  await queue.close()
  rmSync(join(folder.path, 'queue'), { recursive: true })
  return whole
}

/** The nodes that are delivered, up to that one. */
async function untilNode(queue: FileJobQueue, last: string): Promise<string[]> {
  const nodes: string[] = []
  const stop = new AbortController()
  await queue.consume(
    async (delivery) => {
      nodes.push(delivery.job.nodeId)
      await delivery.acknowledge()
      if (delivery.job.nodeId === last) stop.abort()
    },
    { concurrency: 1, signal: stop.signal },
  )
  return nodes
}
