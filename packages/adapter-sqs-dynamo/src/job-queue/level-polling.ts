/**
 * When to ask which queue, where there are several, the most urgent first. A queue at which a request waits has nothing to give, or
 * that request would have it, and needs no look. The others are looked at from the top, without waiting:
 *
 *   it gives as many as it was asked for ─► from the top again, as long as there is room
 *   it gives fewer ───────────────────────► what room remains is for the next one
 *   there is no room left ────────────────► from the top again, once there is some
 *   all of them have given what they had ─► wait at all of them at the same time, for one message each
 *
 * Where one gives whole batches and there is room for more of them, requests wait at those above it meanwhile. And of one that
 * gives what was waited for while requests wait at all others, more is waited for at once.
 *
 * Requests together ask for no more messages than there is room, unless there is less than one for each. What then comes too
 * many is given back.
 */
import { type Asking, type Polling, wholeBatch } from './polling.ts'
import type { Slots } from './slots.ts'

interface Level {
  readonly level: number
  /** Messages that may come for the request that waits. 0: none does. */
  waited: number
  /** Messages that may come for those that do not. */
  looked: number
  looks: number
  /** It has given what it had, since there was last no room and since another one gave all that it was asked for. */
  isSeen: boolean
  /** It had a batch to give, and may have another. */
  isBusy: boolean
}

export class LevelPolling implements Polling {
  readonly #slots: Slots
  readonly #levels: readonly Level[]

  /** @param levels how many queues there are */
  constructor(slots: Slots, levels: number) {
    this.#slots = slots
    this.#levels = Array.from({ length: levels }, (_, level) => {
      return { level, waited: 0, looked: 0, looks: 0, isSeen: false, isBusy: false }
    })
  }

  next(hasGathered: boolean, isResting: (level: number) => boolean): Asking | 'gather' | undefined {
    const levels = this.#levels
    const { spare } = this.#slots
    if (spare < 1) this.#fromTheTop()
    const room = spare - sum(levels.map(({ looked }) => looked))
    if (room < 1) return undefined
    const free = room - sum(levels.map(({ waited }) => waited))
    const whole = wholeBatch(this.#slots)
    const open = levels.filter(({ level, waited }) => waited === 0 && !isResting(level))
    const looked = levels.find(({ looks }) => looks > 0)
    if (looked !== undefined) return free >= whole ? beside(looked, open, whole) : undefined

    const next = open.find(({ isSeen }) => !isSeen)
    if (next === undefined) {
      const [seen] = open
      if (seen !== undefined) return waitAt(seen, 1)
      const busy = levels.find(({ isBusy }) => isBusy)
      return busy !== undefined && free >= whole ? beside(busy, open, whole) : undefined
    }
    const isBegun = levels.some(({ isSeen }) => isSeen)
    if (!isBegun && !hasGathered && free < whole && levels.some(({ isBusy }) => isBusy)) return 'gather'
    const most = Math.max(1, Math.min(whole, free))
    return open.length === 1 ? waitAt(next, most) : lookAt(next, most)
  }

  asks({ level, most, waits }: Asking): void {
    const asked = this.#at(level)
    if (waits === 'long') {
      asked.waited = most
      asked.isSeen = false
    } else {
      asked.looks += 1
      asked.looked += most
    }
  }

  answered({ level, most, waits }: Asking, came: number | undefined): void {
    const asked = this.#at(level)
    if (waits === 'long') asked.waited = 0
    else {
      asked.looks -= 1
      asked.looked -= most
    }
    const isFull = came === most
    // One that was waited for says nothing of how many there are.
    asked.isBusy = isFull && (most > 1 || wholeBatch(this.#slots) === 1)
    if (isFull && waits === 'not') this.#fromTheTop()
    else asked.isSeen = !isFull
  }

  #fromTheTop(): void {
    for (const level of this.#levels) level.isSeen = false
  }

  #at(level: number): Level {
    const found = this.#levels[level]
    if (found === undefined) throw new RangeError(`there is no level ${level}`)
    return found
  }
}

/** Asks for another batch at the same time, where requests wait at all that is more urgent. */
function beside(busy: Level, open: readonly Level[], whole: number): Asking | undefined {
  if (!busy.isBusy) return undefined
  const above = open.find(({ level }) => level < busy.level)
  return above === undefined ? lookAt(busy, whole) : waitAt(above, 1)
}

function lookAt({ level }: Level, most: number): Asking {
  return { level, most, waits: 'not' }
}

function waitAt({ level }: Level, most: number): Asking {
  return { level, most, waits: 'long' }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
