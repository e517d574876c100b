import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Delivery, type Job, parseJob } from '@baton/core/adapter'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileJobQueue } from '../src/job-queue.ts'
import { FileRunStore } from '../src/run-store.ts'
import { startChild } from './child.ts'
import { type TestFolder, testFolder } from './folder.ts'

let folder: TestFolder
let stop: AbortController
const queues: FileJobQueue[] = []

beforeEach(() => {
  folder = testFolder()
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  for (const queue of queues.splice(0)) await queue.close()
  folder.remove()
})

function open(options: { readonly visibilityMs?: number; readonly pollMs?: number } = {}): FileJobQueue {
  const queue = new FileJobQueue({ directory: folder.path, ...options })
  queues.push(queue)
  return queue
}

function job(nodeId: string, priority = 0): Job {
  return parseJob({ runId: 'run', blueprintId: 'flow', nodeId, instanceId: nodeId, dispatch: 0, priority })
}

/** Collects deliveries until there are that many. */
function collect(queue: FileJobQueue, count: number, handle = (delivery: Delivery): unknown => delivery.acknowledge()) {
  const seen: Delivery[] = []
  return new Promise<Delivery[]>((resolve) => {
    const handler = async (delivery: Delivery) => {
      seen.push(delivery)
      await handle(delivery)
      if (seen.length === count) resolve(seen)
    }
    void queue.consume(handler, { concurrency: 1, signal: stop.signal })
  })
}

const files = (name: string) => readdirSync(join(folder.path, 'queue', name))
const nodes = (deliveries: readonly Delivery[]) => deliveries.map(({ job }) => job.nodeId)

describe('the job queue', () => {
  it('leaves it to the run store how durable the folder is', () => {
    open()

    expect(new FileRunStore({ directory: folder.path, durability: 'process' }).durability).toBe('process')
  })

  it('delivers what another store of the same folder has sent, and keeps nothing', async () => {
    const consumer = open({ pollMs: 60_000 })
    const delivered = collect(consumer, 2)

    await open().enqueue([job('a'), job('b')])

    expect(nodes(await delivered).sort()).toEqual(['a', 'b'])
    expect([files('pending'), files('taken')]).toEqual([[], []])
  })

  it('delivers higher priorities first', async () => {
    const queue = open()
    await queue.enqueue([job('low', -5), job('normal'), job('high', 7), job('highest', 1e9), job('lowest', -1e9)])

    expect(nodes(await collect(queue, 5))).toEqual(['highest', 'high', 'normal', 'low', 'lowest'])
  })

  it('delivers again what its consumer neither finished nor gave back in time', async () => {
    const queue = open({ visibilityMs: 100, pollMs: 50 })
    await queue.enqueue([job('a')])
    let first = true

    const seen = await collect(queue, 2, async (delivery) => {
      if (!first) return delivery.acknowledge()
      first = false
      throw new Error('handler failed')
    })

    expect(seen.map(({ redelivered }) => redelivered)).toEqual([0, 1])
  })

  it('gives back what a killed process had taken', { timeout: 30_000 }, async () => {
    const queue = open({ visibilityMs: 300, pollMs: 50 })
    const child = startChild(new URL('./children/consume.ts', import.meta.url), [folder.path, '1', '300'])
    await queue.enqueue([job('a')])
    await child.printed(1)
    await child.kill()

    const [delivery] = await collect(queue, 1)

    expect(delivery?.job.nodeId).toBe('a')
    expect(delivery?.redelivered).toBe(1)
  })

  it('keeps a delivery that is extended', async () => {
    const queue = open({ visibilityMs: 100, pollMs: 20 })
    await queue.enqueue([job('a')])
    const other = open({ visibilityMs: 100, pollMs: 20 })
    const seenByOther: string[] = []

    await collect(queue, 1, async (delivery) => {
      void other.consume(async ({ job }) => void seenByOther.push(job.nodeId), { concurrency: 1, signal: stop.signal })
      for (let round = 0; round < 8; round++) {
        await delivery.extend({ byMs: 100 })
        await new Promise((resolve) => setTimeout(resolve, 40))
      }
      await delivery.acknowledge()
    })

    expect(seenByOther).toEqual([])
    expect(files('taken')).toEqual([])
  })

  it('delivers what was handed back no sooner than its delay', async () => {
    const queue = open({ pollMs: 60_000 })
    await queue.enqueue([job('a')])
    const times: number[] = []

    const seen = await collect(queue, 2, (delivery) => {
      times.push(Date.now())
      return times.length === 1 ? delivery.handBack({ delayMs: 150 }) : delivery.acknowledge()
    })

    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(149)
    expect(seen.map(({ redelivered }) => redelivered)).toEqual([0, 1])
  })

  it('puts what is no job among the dead, with the reason, and never shows it to the handler', async () => {
    const queue = open()
    const pending = join(folder.path, 'queue', 'pending')
    writeFileSync(join(pending, 'half.json'), '{"runId": "ru')
    writeFileSync(join(pending, 'bad-id'), '{"runId":"../x","blueprintId":"f","nodeId":"n"}')
    mkdirSync(join(pending, 'folder'))
    writeFileSync(join(pending, 'foreign'), '{"runId":"r1","blueprintId":"f","nodeId":"n"}')

    await queue.enqueue([job('z')])
    const seen = await collect(queue, 2)

    expect(nodes(seen).sort()).toEqual(['n', 'z'])
    expect(seen.find(({ job }) => job.nodeId === 'n')?.job).toMatchObject({ runId: 'r1', foreign: true })
    const reasons = () => files('dead').filter((name) => name.endsWith('.reason.txt'))
    await expect.poll(reasons).toHaveLength(3)
    const texts = reasons()
      .map((name) => readFileSync(join(folder.path, 'queue', 'dead', name), 'utf8'))
      .join()
    expect(texts).toContain('JSON')
    expect(texts).toContain('runId')
  })

  it('keeps a job that its handler gave up on where a person can look at it', async () => {
    const queue = open()
    await queue.enqueue([job('a')])

    await collect(queue, 1, (delivery) => delivery.deadLetter('no such run'))

    expect(
      files('dead')
        .map((name) => name.replace(/.*\d\./, ''))
        .sort(),
    ).toEqual(['json', 'reason.txt'])
    expect(files('taken')).toEqual([])
  })

  it('delivers nothing after the signal and waits for its handlers', async () => {
    const queue = open()
    await queue.enqueue([job('a'), job('b')])
    const events: string[] = []

    await queue.consume(
      async (delivery) => {
        events.push(delivery.job.nodeId)
        stop.abort()
        await new Promise((resolve) => setTimeout(resolve, 50))
        await delivery.acknowledge()
        events.push('done')
      },
      { concurrency: 1, signal: stop.signal },
    )

    expect(events).toEqual([expect.any(String), 'done'])
    expect(files('pending')).toHaveLength(1)
  })

  it('survives an outage of the folder', async () => {
    const queue = open({ pollMs: 50 })
    const pending = join(folder.path, 'queue', 'pending')
    renameSync(pending, `${pending}.away`)
    const delivered = collect(queue, 1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await expect(queue.enqueue([job('a')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    renameSync(`${pending}.away`, pending)

    await queue.enqueue([job('b')])

    expect(nodes(await delivered)).toEqual(['b'])
  })

  it('gives each job to one of several processes', { timeout: 60_000 }, async () => {
    const queue = open()
    const children = [0, 1, 2].map(() => startChild(new URL('./children/consume.ts', import.meta.url), [folder.path]))
    for (let batch = 0; batch < 10; batch++) {
      await queue.enqueue(Array.from({ length: 60 }, (_, index) => job(`n${batch * 60 + index}`)))
    }

    while (children.reduce((sum, { lines }) => sum + lines.length, 0) < 600 || files('taken').length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    for (const child of children) await child.kill()

    const seen = children.flatMap(({ lines }) => lines)
    expect(seen).toHaveLength(600)
    expect(new Set(seen).size).toBe(600)
    expect(files('pending')).toEqual([])
  })

  it('removes what its folder lost and goes on when a taken file vanishes', async () => {
    const queue = open()
    await queue.enqueue([job('a')])

    await collect(queue, 1, (delivery) => {
      for (const name of files('taken')) rmSync(join(folder.path, 'queue', 'taken', name))
      return delivery.acknowledge()
    })

    expect(files('dead')).toEqual([])
  })
})
