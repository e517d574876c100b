/** Which of several queues is asked when: the plan alone, with queues that are numbers. */
import { describe, expect, it } from 'vitest'
import { LevelPolling } from '../../src/job-queue/level-polling.ts'
import type { Asking } from '../../src/job-queue/polling.ts'
import { Slots } from '../../src/job-queue/slots.ts'

/** A consumer of queues that hold so many messages each, whose requests are answered when the test says so. */
class Play {
  readonly slots: Slots
  readonly polling: LevelPolling
  readonly backlog: number[]
  readonly open: Asking[] = []
  readonly taken: number[] = []
  givenBack = 0

  constructor(count: number, backlog: readonly number[]) {
    this.slots = new Slots(count)
    this.backlog = [...backlog]
    this.polling = new LevelPolling(this.slots, backlog.length)
  }

  /** Asks all that it may. */
  ask(): readonly Asking[] {
    const asked: Asking[] = []
    for (let turn = 0; turn < 100; turn++) {
      const next = this.polling.next(true, () => false)
      if (next === undefined) return asked
      if (next === 'gather') throw new Error('it has gathered')
      const { spare } = this.slots
      this.polling.asks(next)
      this.open.push(next)
      asked.push(next)
      const mayCome = this.open.reduce((sum, { most }) => sum + most, 0)
      expect(next.most === 1 || mayCome <= spare, `${mayCome} may come for ${spare}`).toBe(true)
    }
    throw new Error('it asks without end')
  }

  answer(asking: Asking): void {
    this.open.splice(this.open.indexOf(asking), 1)
    const came = Math.min(asking.most, this.backlog[asking.level] ?? 0)
    this.polling.answered(asking, came)
    const runs = this.slots.take(came)
    this.backlog[asking.level] = (this.backlog[asking.level] ?? 0) - runs
    this.givenBack += came - runs
    for (let one = 0; one < runs; one++) this.taken.push(asking.level)
  }

  end(): void {
    if (!this.slots.isQuiet) this.slots.ended()
  }
}

/** Of numbers that look like chance, and are the same each time. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

describe('asking several queues', () => {
  it('looks at each from the top, and then waits at all for one message each', () => {
    const play = new Play(10, [0, 0, 0])

    for (const level of [0, 1, 2]) {
      const [look, ...more] = play.ask()
      expect([look, more]).toEqual([{ level, most: 10, waits: 'not' }, []])
      if (look !== undefined) play.answer(look)
    }

    expect(play.ask()).toEqual([0, 1, 2].map((level) => ({ level, most: 1, waits: 'long' })))
  })

  it('waits for more at once where one has come, while requests wait at the others', () => {
    const play = new Play(10, [0, 0, 0])
    for (let turn = 0; turn < 3; turn++) for (const look of play.ask()) play.answer(look)
    const [, normal] = play.ask()
    play.backlog[1] = 3

    if (normal !== undefined) play.answer(normal)
    const [more, ...others] = play.ask()

    expect([more, others]).toEqual([{ level: 1, most: 7, waits: 'long' }, []])
    if (more !== undefined) play.answer(more)
    expect(play.taken).toEqual([1, 1, 1])
    expect(play.ask()).toEqual([{ level: 1, most: 1, waits: 'long' }])
  })

  it('begins from the top when there is room again, whatever was seen before', () => {
    const play = new Play(1, [0, 0])
    for (let turn = 0; turn < 2; turn++) for (const look of play.ask()) play.answer(look)
    const [high, low] = play.ask()
    play.backlog[1] = 1
    if (low !== undefined) play.answer(low)
    play.ask()
    if (high !== undefined) play.answer(high)
    expect(play.ask()).toEqual([])

    play.end()

    expect(play.ask()).toEqual([{ level: 0, most: 1, waits: 'not' }])
  })

  it('begins from the top after each batch, also where there is always room', () => {
    const play = new Play(10, [0, 30])
    const asked: number[] = []
    for (let turn = 0; turn < 6; turn++) {
      for (const look of play.ask()) {
        asked.push(look.level)
        play.answer(look)
      }
      while (!play.slots.isQuiet) play.end()
    }

    expect(asked).toEqual([0, 1, 0, 1, 0, 1])
  })

  it('waits above a queue of which it asks for several batches at a time', () => {
    const play = new Play(40, [0, 90])
    for (let turn = 0; turn < 3; turn++) for (const look of play.ask()) play.answer(look)

    expect(play.ask()).toEqual([
      { level: 1, most: 10, waits: 'not' },
      { level: 0, most: 1, waits: 'long' },
      { level: 1, most: 10, waits: 'not' },
    ])
  })

  it('leaves alone what is resting, and asks it when it is over', () => {
    const { polling } = new Play(1, [0, 0])

    expect(polling.next(true, (level) => level === 0)).toEqual({ level: 1, most: 1, waits: 'long' })
    polling.asks({ level: 1, most: 1, waits: 'long' })
    expect(polling.next(true, (level) => level === 0)).toBeUndefined()

    expect(polling.next(true, () => false)).toEqual({ level: 0, most: 1, waits: 'long' })
  })

  it('gathers before it asks for less than a batch of what comes in batches', () => {
    const play = new Play(2, [9, 0])
    const [look] = play.ask()
    if (look !== undefined) play.answer(look)
    expect(play.ask()).toEqual([])
    play.end()

    expect(play.polling.next(false, () => false)).toBe('gather')
    play.end()
    expect(play.polling.next(false, () => false)).toEqual({ level: 0, most: 2, waits: 'not' })
  })

  it.each([1, 2, 3, 7, 10, 25, 60])(
    'takes all there is, never asks in vain, and is never idle: %i at a time',
    (count) => {
      for (let seed = 1; seed <= 40; seed++) {
        const roll = dice(seed * 7_919)
        const play = new Play(count, [roll(80), roll(80), roll(80)])
        const total = play.backlog.reduce((sum, one) => sum + one, 0)
        let requests = 0
        for (let turn = 0; turn < 5_000 && play.taken.length < total; turn++) {
          requests += play.ask().length
          const waiting = play.open.filter(({ waits }) => waits === 'long').map(({ level }) => level)
          expect(new Set(waiting).size).toBe(waiting.length)
          if (play.slots.spare > 0) expect(play.open.length).toBeGreaterThan(0)
          const one = play.open[roll(play.open.length)]
          if (one !== undefined && roll(3) > 0) play.answer(one)
          else play.end()
        }
        expect(play.taken).toHaveLength(total)
        expect(requests).toBeLessThan(20 + total * 4)
        while (!play.slots.isQuiet) play.end()
        for (let turn = 0; turn < 20; turn++) {
          play.ask()
          for (const look of play.open.filter(({ waits }) => waits !== 'long')) play.answer(look)
        }
        expect(play.open.map(({ level, waits }) => `${level} ${waits}`).sort()).toEqual(['0 long', '1 long', '2 long'])
      }
    },
  )
})
