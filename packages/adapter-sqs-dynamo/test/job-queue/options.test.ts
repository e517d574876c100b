/** What can be seen to be wrong before anything is asked of AWS. */
import { describe, expect, it } from 'vitest'
import { DynamoCoordinationStore, SqsJobQueue } from '../../src/index.ts'

const invalid = (field: string) => expect.objectContaining({ code: 'INVALID_OPTION', field })

describe('options', () => {
  it.each([
    [{ queue: undefined }, 'queue'],
    [{ queue: 'no queue' }, 'queue'],
    [{ queue: 'arn:aws:sqs:eu-west-1:1:jobs' }, 'queue'],
    [{ queue: 'q'.repeat(81) }, 'queue'],
    [{ deadLetterQueue: '' }, 'deadLetterQueue'],
    [{ deadLetterQueue: 'jobs' }, 'deadLetterQueue'],
    [{ highQueue: 'now', deadLetterQueue: 'now' }, 'deadLetterQueue'],
    [{ highQueue: '' }, 'highQueue'],
    [{ highQueue: 'jobs' }, 'highQueue'],
    [{ highQueue: 'now.fifo' }, 'highQueue'],
    [{ lowQueue: 7 }, 'lowQueue'],
    [{ highQueue: 'other', lowQueue: 'other' }, 'lowQueue'],
    [{ queue: 'jobs.fifo', lowQueue: 'later' }, 'lowQueue'],
    [{ client: 'eu-west-1' }, 'client'],
    [{ visibilityMs: 999 }, 'visibilityMs'],
    [{ visibilityMs: 43_200_001 }, 'visibilityMs'],
    [{ waitMs: 0 }, 'waitMs'],
    [{ waitMs: 20_001 }, 'waitMs'],
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ lostHintsMs: 0 }, 'lostHintsMs'],
    [{ logger: {} }, 'logger'],
    [{ queueUrl: 'https://sqs.example/1/q' }, 'options.queueUrl'],
  ])('of a job queue are refused: %o', (wrong, field) => {
    expect(() => new SqsJobQueue({ queue: 'jobs', ...wrong } as never)).toThrow(invalid(field))
  })

  it.each(['jobs', 'jobs.fifo', 'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs', 'http://127.0.0.1:9324/0/q'])(
    'of a job queue name it or give its URL: %s',
    (queue) => {
      const make = () =>
        new SqsJobQueue({ queue, lostHintsMs: Number.POSITIVE_INFINITY, client: { region: 'eu-west-1' } })

      expect(make).not.toThrow()
    },
  )

  it.each([
    { highQueue: 'now' },
    { lowQueue: 'https://sqs.eu-west-1.amazonaws.com/123456789012/later' },
    { queue: 'jobs.fifo', highQueue: 'now.fifo', lowQueue: 'later.fifo', deadLetterQueue: 'dead.fifo' },
  ])('of a job queue name queues for other levels: %o', (names) => {
    expect(() => new SqsJobQueue({ queue: 'jobs', client: { region: 'eu-west-1' }, ...names })).not.toThrow()
  })

  it.each([
    [{ table: 'no table' }, 'table'],
    [{ table: 'ab' }, 'table'],
    [{ prefix: 'a b' }, 'prefix'],
    [{ client: 7 }, 'client'],
    [{ clock: { now: 7 } }, 'clock.now'],
    [{ timeoutMs: -1 }, 'timeoutMs'],
    [{ tabel: 'x' }, 'options.tabel'],
  ])('of a coordination store are refused: %o', (wrong, field) => {
    expect(() => new DynamoCoordinationStore(wrong as never)).toThrow(invalid(field))
  })
})
