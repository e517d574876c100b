import { TestClock } from '@baton/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { PartitionLog } from '../../src/job-queue/partition-log.ts'
import { Watchdog } from '../../src/job-queue/watchdog.ts'

const SILENT_MS = 60_000

describe('the watchdog', () => {
  let dispose = () => {}
  afterEach(() => dispose())

  function stand({
    end = 0,
    committed = undefined as number | undefined,
    received = 0,
    isPaused = false,
    hasOther = false,
  } = {}) {
    const clock = new TestClock()
    const log = new PartitionLog({ topic: 'jobs', partition: 0 })
    const other = new PartitionLog({ topic: 'jobs', partition: 1 })
    log.receive(Array.from({ length: received }, (_, offset) => ({ offset, key: '', text: '', headers: {} })))
    const said: string[] = []
    const ends = { value: end }
    const watchdog = new Watchdog({
      client: {
        reach: async () => new Map([[0, { first: 0, end: ends.value }]]),
        committed: async () => new Map(committed === undefined ? [] : [[0, committed]]),
      },
      groupId: 'group',
      silentMs: SILENT_MS,
      logs: () => (hasOther ? [other, log] : [log]),
      isPaused: () => isPaused,
      onSilent: (why) => void said.push(why),
      clock,
    })
    dispose = () => watchdog.end()
    /** Time in which brokers answer, and bring nothing. */
    const pass = async (ms: number, looks = true) => {
      for (let passed = 0; passed < ms; passed += 1_000) {
        await clock.advance(1_000)
        if (looks) watchdog.looked()
      }
    }
    return { clock, log, other, said, ends, watchdog, pass }
  }

  it('says nothing while there is nothing to read', async () => {
    const { said, pass } = stand({ end: 5, received: 5 })
    await pass(10 * SILENT_MS)
    expect(said).toEqual([])
  })

  it('says so when nothing comes although there is something', async () => {
    const { said, ends, pass } = stand({ end: 5, received: 5 })
    await pass(SILENT_MS / 2)
    ends.value = 9
    await pass(1.5 * SILENT_MS)
    expect(said[0]).toBe('it has not read what is in jobs/0')
  })

  it('knows by the group how far a partition was read that has given nothing yet', async () => {
    const read = stand({ end: 7, committed: 7 })
    await read.pass(3 * SILENT_MS)
    expect(read.said).toEqual([])
    dispose()
    const unread = stand({ end: 7, committed: 6 })
    await unread.pass(2 * SILENT_MS)
    expect(unread.said[0]).toBe('it has not read what is in jobs/0')
  })

  it('says so when no broker was even asked', async () => {
    const { said, pass } = stand()
    await pass(2 * SILENT_MS, false)
    expect(said[0]).toBe('it has not asked for anything')
  })

  it('waits as long as what came has no room', async () => {
    const { said, pass } = stand({ end: 100, received: 5, isPaused: true })
    await pass(5 * SILENT_MS)
    expect(said).toEqual([])
  })

  it('says so of one partition that is silent while others bring something all the time', async () => {
    const { said, other, pass } = stand({ end: 5, received: 3, hasOther: true })
    for (let offset = 0; offset < 120; offset++) {
      other.receive([{ offset, key: '', text: '', headers: {} }])
      await pass(1_000)
    }
    expect(said[0]).toBe('it has not read what is in jobs/0')
  })

  it('says so once of what nobody gets: marks of transactions are no messages', async () => {
    const { said, ends, pass } = stand({ end: 6, received: 5 })
    await pass(10 * SILENT_MS)
    expect(said).toHaveLength(1)

    ends.value = 8
    await pass(10 * SILENT_MS)
    expect(said).toHaveLength(2)
  })

  it('leaves alone who has no partition', async () => {
    const { said, log, pass } = stand({ end: 100 })
    log.lost()
    await pass(5 * SILENT_MS, false)
    expect(said).toEqual([])
  })
})
