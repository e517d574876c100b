/**
 * What goes wrong, and when: after a random amount of work was witnessed since the last fault, never after a time alone. So
 * a slow machine has fewer faults a second, and the same faults for the same work.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Dice } from '@baton/testing/simulator'
import type { Server } from './backend.ts'
import type { Crew, Member } from './crew.ts'
import type { WitnessLine, WitnessReader } from './witness.ts'

export interface StormOptions {
  readonly crew: Crew
  readonly witness: WitnessReader
  readonly dice: Dice
  readonly leaseMs: number
  /** How many workers to kill. */
  readonly enough: number
  readonly zombiesPerKill: number
  /** What can be killed beside workers, and how often for each kill of a worker. */
  readonly servers: readonly Server[]
  readonly restartsPerKill: number
}

/** A zombie is woken when nobody has taken over for so long after its leases: its runs were called off, or have ended. */
const TAKEOVER_MS = 5_000
/** Who has committed this still holds its claim. */
const GOES_ON = new Set(['stepped', 'sent'])
/** How often to look for news. */
const LOOK_MS = 20

export class Storm {
  readonly #options: StormOptions
  readonly #zombies = new Set<Promise<void>>()
  /** The newest fence that each instance was run with. */
  readonly #fences = new Map<string, number>()
  /** Who runs it now, as far as the witness knows. */
  readonly #holders = new Map<string, WitnessLine>()
  #restarting: Promise<void> | undefined
  kills = 0
  zombies = 0
  restarts = 0

  constructor(options: StormOptions) {
    this.#options = options
  }

  /** A machine that is slow to take over has fewer zombies while workers are killed: the rest of them come afterwards. */
  get isOver(): boolean {
    const { enough, zombiesPerKill, servers, restartsPerKill } = this.#options
    const restarts = servers.length === 0 ? 0 : Math.ceil(enough * restartsPerKill)
    return this.kills >= enough && this.zombies >= Math.floor(enough * zombiesPerKill) && this.restarts >= restarts
  }

  /** One fault, once there is work to disturb. */
  async strike(signal: AbortSignal): Promise<void> {
    const { dice, crew, enough, zombiesPerKill, servers, restartsPerKill } = this.#options
    await this.#seen(dice.between(3, 40), signal)
    // Anywhere between two lines of the witness.
    await wait(dice.below(15))
    if (signal.aborted) return
    const isServersTurn = servers.length > 0 && this.restarts <= this.kills * restartsPerKill
    // In turn, so that each is among them.
    const server = servers[this.restarts % servers.length]
    if (isServersTurn && server !== undefined && this.#restarting === undefined) this.#restartOne(server)
    else if (this.#zombies.size === 0 && this.zombies < this.kills * zombiesPerKill) this.#freezeOne()
    else if (this.kills < enough) {
      const victims = crew.members.filter(({ isReady, isFrozen }) => isReady && !isFrozen)
      if (victims.length === 0) return
      await crew.kill(dice.pick(victims))
      crew.hire()
      this.kills += 1
    }
  }

  /** Wakes whoever is still frozen, and waits for who is not back yet. */
  async pass(): Promise<void> {
    await Promise.all(this.#zombies)
    await this.#restarting
  }

  /** Workers are killed meanwhile as well. */
  #restartOne(server: Server): void {
    this.#restarting = server.restart().finally(() => {
      this.#restarting = undefined
      this.restarts += 1
    })
  }

  #freezeOne(): void {
    const { crew, dice } = this.#options
    const busy = crew.members.filter((member) => member.isReady && this.#heldBy(member).length > 0)
    if (busy.length === 0) return
    const zombie = this.#freeze(dice.pick(busy)).finally(() => this.#zombies.delete(zombie))
    this.#zombies.add(zombie)
  }

  /** Freezes a worker until its leases have run out and somebody has taken over what it held. */
  async #freeze(member: Member): Promise<void> {
    const { leaseMs } = this.#options
    member.freeze()
    // What it had committed by then is nothing that anybody could take over.
    this.#look()
    const held = this.#heldBy(member)
    if (held.length === 0) return member.thaw()
    const fromMs = performance.now()
    const isTaken = () => held.some((line) => (this.#fences.get(keyOf(line)) ?? 0) > line.fence)
    while (performance.now() - fromMs < leaseMs + TAKEOVER_MS) {
      await wait(LOOK_MS)
      this.#look()
      if (performance.now() - fromMs > 1.2 * leaseMs && isTaken()) break
    }
    member.thaw()
    this.zombies += 1
  }

  #heldBy({ workerId }: Member): readonly WitnessLine[] {
    return [...this.#holders.values()].filter(({ worker }) => worker === workerId)
  }

  /** Resolves when so many more lines were witnessed. */
  async #seen(count: number, signal: AbortSignal): Promise<void> {
    let seen = 0
    while (seen < count && !signal.aborted) {
      seen += this.#look()
      if (seen < count) await wait(LOOK_MS)
    }
  }

  #look(): number {
    const lines = this.#options.witness.read()
    for (const line of lines) {
      const key = keyOf(line)
      const fence = this.#fences.get(key) ?? 0
      if (line.what === 'ran' && line.fence > fence) {
        this.#fences.set(key, line.fence)
        this.#holders.set(key, line)
      } else if (line.what === 'committed' && !GOES_ON.has(line.outcome) && line.fence === fence) {
        this.#holders.delete(key)
      }
    }
    return lines.length
  }
}

function keyOf({ runId, instanceId }: WitnessLine): string {
  return `${runId} ${instanceId}`
}
