/** What SQS answers on bad days, played by a client of our own: no server that stands in for it throttles, or knows of credentials. */
import type { SQSClient } from '@aws-sdk/client-sqs'
import { systemClock, wait } from '@baton/core/adapter'
import { afterEach, describe, expect, it } from 'vitest'
import { SqsJobQueue, type SqsJobQueueOptions } from '../../src/index.ts'
import { eventually, job, jobs, type Logged } from './stand.ts'

type Input = {
  readonly Entries?: readonly {
    readonly Id: string
    readonly ReceiptHandle?: string
    readonly VisibilityTimeout?: number
  }[]
  readonly QueueName?: string
}
type Answers = { readonly [command: string]: (input: Input, times: number) => unknown }

class Refusal extends Error {
  constructor(code: string, message = 'part of the test') {
    super(message)
    this.name = code
  }
}

let closers: (() => unknown)[] = []
const logged: Logged[] = []
const pauses = () => logged.flatMap(({ fields }) => (typeof fields.pauseMs === 'number' ? [fields.pauseMs] : []))
afterEach(async () => {
  for (const close of closers) await close()
  closers = []
  logged.length = 0
})

/** A queue whose SQS answers like this, and what it was asked. Otherwise there is nothing to receive, and all is taken. */
function open(answers: Answers, options: Partial<SqsJobQueueOptions> = {}): { queue: SqsJobQueue; asked: string[] } {
  const asked: string[] = []
  const client = {
    async send(
      command: { readonly constructor: { readonly name: string }; readonly input: Input },
      { abortSignal }: { abortSignal: AbortSignal },
    ) {
      const name = command.constructor.name.replace('Command', '')
      asked.push(name)
      const answer = answers[name]
      const times = asked.filter((other) => other === name).length
      if (answer !== undefined) return answer(command.input, times)
      if (name === 'ReceiveMessage') return wait(systemClock, 1_000, abortSignal).then(() => ({}))
      return {}
    },
  } as unknown as SQSClient
  const logger = {
    log: (level: string, message: string, fields: object) =>
      void logged.push({ level, message, fields: { ...fields } }),
  }
  const queue = new SqsJobQueue({ queue: 'https://sqs.example/1/q', client, logger, waitMs: 1_000, ...options })
  closers.unshift(() => queue.close())
  return { queue, asked }
}

function consume(queue: SqsJobQueue): string[] {
  const stop = new AbortController()
  closers.unshift(() => stop.abort())
  const nodes: string[] = []
  const handler = async (delivery: { readonly job: { readonly nodeId: string }; acknowledge(): unknown }) => {
    nodes.push(delivery.job.nodeId)
    await delivery.acknowledge()
  }
  void queue.consume(handler, { concurrency: 4, signal: stop.signal })
  return nodes
}

function message(nodeId: string): object {
  const Body = JSON.stringify({ runId: 'run', blueprintId: 'flow', nodeId })
  return { MessageId: nodeId, ReceiptHandle: `handle of ${nodeId}`, Body, Attributes: { ApproximateReceiveCount: '1' } }
}

describe('a request for ten of which SQS takes some', () => {
  it('is asked again for those that SQS could not see to', async () => {
    const sent: number[] = []
    const { queue } = open({
      SendMessageBatch: ({ Entries = [] }, times) => {
        sent.push(Entries.length)
        return times > 2 ? {} : { Failed: [{ Id: '0', SenderFault: false, Code: 'InternalFailure', Message: 'later' }] }
      },
    })

    await queue.enqueue(jobs(10))

    expect(sent).toEqual([10, 1, 1])
  })

  it('fails who sent what SQS will never take, and nobody else', async () => {
    const { queue, asked } = open({
      SendMessageBatch: () => ({ Failed: [{ Id: '1', SenderFault: true, Code: 'InvalidMessageContents' }] }),
    })

    const sent = await Promise.allSettled([
      queue.enqueue([job('a')]),
      queue.enqueue([job('b')]),
      queue.enqueue([job('c')]),
    ])

    expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(sent[1]).toMatchObject({ reason: { code: 'INVALID_JOB' } })
    expect(asked).toEqual(['SendMessageBatch'])
  })

  it('is given up after some tries', async () => {
    const { queue, asked } = open({
      SendMessageBatch: () => ({ Failed: [{ Id: '0', SenderFault: false, Code: 'InternalFailure' }] }),
    })

    await expect(queue.enqueue([job('a')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })

    expect(asked).toHaveLength(4)
  })

  it('has no more bytes than SQS takes', async () => {
    const sizes: number[] = []
    const { queue } = open({
      SendMessageBatch: ({ Entries = [] }) => {
        sizes.push(Entries.length)
        return {}
      },
    })

    await queue.enqueue(jobs(8).map((one) => ({ ...one, version: 'v'.repeat(100_000) })))

    expect(sizes).toEqual([2, 2, 2, 2])
  })
})

describe('a consumer whose SQS refuses', () => {
  it.each(['RequestThrottled', 'ExpiredTokenException', 'QueueDoesNotExist', 'AccessDenied'])(
    'pauses longer each time, says so once, and goes on when it is over: %s',
    async (code) => {
      const { queue, asked } = open({
        ReceiveMessage: async (_input, times) => {
          if (times <= 4) throw new Refusal(code)
          if (times === 5) return { Messages: [message('a')] }
          await wait(systemClock, 400)
          return {}
        },
      })
      const nodes = consume(queue)

      await eventually(() => nodes).toEqual(['a'])

      expect(pauses()).toHaveLength(4)
      for (const [index, pauseMs] of pauses().entries()) {
        expect(pauseMs).toBeGreaterThanOrEqual(50 * 2 ** index)
        expect(pauseMs).toBeLessThanOrEqual(100 * 2 ** index)
      }
      expect(asked.filter((name) => name === 'ReceiveMessage').length).toBeLessThanOrEqual(8)
      expect(logged.filter(({ level }) => level === 'warn')).toHaveLength(1)
      expect(logged.filter(({ message }) => message === 'the job queue is back')).toHaveLength(1)
    },
  )

  it.each([
    ['QueueDoesNotExist', /region/],
    ['AccessDenied', /policy/],
    ['UnrecognizedClientException', /credentials/],
  ])('says what to do about it: %s', async (code, hint) => {
    const { queue } = open({
      ReceiveMessage: () => {
        throw new Refusal(code)
      },
      SendMessageBatch: () => {
        throw new Refusal(code)
      },
    })
    consume(queue)

    await expect(queue.enqueue([job('a')])).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      hint: expect.stringMatching(hint),
    })
    expect(logged[0]?.fields).toMatchObject({ error: expect.stringContaining(code), hint: expect.stringMatching(hint) })
  })

  it('does not spin on a server that does not wait', async () => {
    const { queue, asked } = open({ ReceiveMessage: () => ({}) })
    consume(queue)

    await wait(systemClock, 2_000)

    expect(asked.length).toBeLessThan(12)
  })

  it('looks for the URL of its queue again when the queue was gone', async () => {
    const { queue, asked } = open(
      {
        GetQueueUrl: ({ QueueName }) => ({ QueueUrl: `https://sqs.example/1/${QueueName}` }),
        ReceiveMessage: async (_input, times) => {
          if (times === 1) throw new Refusal('QueueDoesNotExist')
          await wait(systemClock, 400)
          return {}
        },
      },
      { queue: 'q' },
    )
    consume(queue)

    await eventually(() => asked.filter((name) => name === 'ReceiveMessage').length).toBeGreaterThan(2)

    expect(asked.filter((name) => name === 'GetQueueUrl')).toHaveLength(2)
  })
})

describe('an answer for a job', () => {
  it('is not undone by an extension that is still under way', async () => {
    const changes: number[] = []
    const { queue } = open(
      {
        ReceiveMessage: async (_input, times) => {
          if (times === 1) return { Messages: [message('a')] }
          await wait(systemClock, 1_000)
          return {}
        },
        ChangeMessageVisibilityBatch: async ({ Entries = [] }) => {
          const [{ VisibilityTimeout = -1 } = {}] = Entries
          // The extension takes its time on the way there.
          if (VisibilityTimeout > 0) await wait(systemClock, 300)
          changes.push(VisibilityTimeout)
          return {}
        },
      },
      { visibilityMs: 1_000 },
    )
    const stop = new AbortController()
    void queue.consume(
      async (delivery) => {
        await wait(systemClock, 400)
        await delivery.handBack({ delayMs: 0 })
      },
      { concurrency: 1, signal: stop.signal },
    )

    await eventually(() => changes).toEqual([1, 0])
    stop.abort()
  })

  it('that SQS did not take is asked for again, and then left', async () => {
    const { queue, asked } = open({
      ReceiveMessage: async (_input, times) => {
        if (times === 1) return { Messages: [message('a')] }
        await wait(systemClock, 1_000)
        return {}
      },
      DeleteMessageBatch: () => ({ Failed: [{ Id: '0', SenderFault: false, Code: 'InternalFailure' }] }),
    })
    consume(queue)

    await eventually(() => asked.filter((name) => name === 'DeleteMessageBatch').length).toBe(4)
    await eventually(() => logged.map(({ level }) => level)).toEqual(['debug'])
  })
})
