/** The faults that strike the world between two steps: what happens to processes, to their clocks and to the queue. */
import type { Dice } from '../../dice.ts'
import type { Actor } from '../world/actor.ts'
import type { Staff } from '../world/staff.ts'
import type { World } from '../world/world.ts'
import type { FaultKind } from './faults.ts'

interface Scene {
  readonly world: World
  readonly staff: Staff
  readonly dice: Dice
}

/** @returns what to say of it in the trace; undefined where there was nobody to strike */
type Strike = (scene: Scene) => string | undefined

const strikes: { readonly [kind in FaultKind]?: Strike } = {
  crash({ staff, dice, world }) {
    const victim = anyOf(staff.alive, dice)
    if (victim === undefined) return undefined
    staff.kill(victim, dice.below(2 * world.leaseMs))
    return `${victim.name} crashes`
  },
  freeze({ staff, dice, world }) {
    const victim = anyOf(staff.alive, dice)
    if (victim === undefined || victim.isFrozen) return undefined
    const ms = dice.below(3 * world.leaseMs)
    staff.freeze(victim, ms)
    return `${victim.name} freezes for ${ms} ms`
  },
  stop({ staff, dice }) {
    const leaving = anyOf(staff.alive, dice)
    if (leaving === undefined || leaving.isFrozen) return undefined
    staff.replace(leaving)
    return `${leaving.name} is asked to stop, and replaced`
  },
  'clock-jump'({ staff, dice, world }) {
    const victim = anyOf(staff.alive, dice)
    if (victim === undefined) return undefined
    const far = dice.pick([1, 1, 20]) * world.leaseMs
    victim.skewMs = dice.below(2 * far) - far
    return `${victim.name}'s clock is off by ${victim.skewMs} ms`
  },
  // Forward as far as it likes. What goes back stands still, for a store, until the old time has come again.
  'store-clock-jump'({ world, dice }) {
    const far = dice.pick([1, 1, 20]) * world.leaseMs
    const ms = dice.happens(0.5) ? dice.below(far) : -dice.below(world.leaseMs)
    world.storeSkewMs += ms
    return `the store's clock jumps by ${ms} ms`
  },
  'queue-wiped'({ world }) {
    if (world.queue.size === 0) return undefined
    world.queue.wipe()
    return 'the queue is wiped'
  },
  'nobody-sweeps'({ world, dice }) {
    if (world.faults.isBlind) return undefined
    world.faults.isBlind = true
    const ms = dice.below(4 * world.leaseMs)
    later(world, ms, 'sweeping again', () => {
      world.faults.isBlind = false
    })
    return `nobody sweeps for ${ms} ms`
  },
  outage({ world, staff, dice }) {
    const { cutOff } = world.faults
    const victim = anyOf(staff.alive, dice)
    if (victim === undefined || cutOff.has(victim)) return undefined
    cutOff.add(victim)
    const ms = dice.below(2 * world.leaseMs)
    later(world, ms, 'store again', () => cutOff.delete(victim))
    return `${victim.name} has no store for ${ms} ms`
  },
}

const kinds = Object.keys(strikes) as readonly FaultKind[]

/** Lets strike what the seed says. */
export function strike(scene: Scene): void {
  const { world } = scene
  for (const kind of kinds) {
    if (world.faults.rates[kind] === 0 || !world.faults.occurs(kind)) continue
    const told = strikes[kind]?.(scene)
    if (told !== undefined) world.trace.tell(world.nowMs, `✗ ${told}`)
  }
}

function later(world: World, delayMs: number, what: string, run: () => void): void {
  world.add({ delayMs, actor: undefined, what, detail: undefined, run })
}

function anyOf(actors: readonly Actor[], dice: Dice): Actor | undefined {
  return actors.length === 0 ? undefined : dice.pick(actors)
}
