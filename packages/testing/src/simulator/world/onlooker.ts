import type { Referee } from '../checker/referee.ts'

/** What a world tells whoever watches it: all that happens, and each call of its store. */
type Told = ('watches' | 'saw' | 'looks') | ('claimed' | 'committed' | 'notified' | 'renewed' | 'delivered' | 'purged')

/** Sees what happens in a world: the referee that judges it, or somebody who only keeps the journals. */
export type Onlooker = Pick<Referee, Extract<keyof Referee, Told>>
