import type { Referee } from '../checker/referee.ts'

/** Sees what happens in a world: the referee that judges it, or somebody who only keeps the journals. */
export type Onlooker = Pick<Referee, 'watches' | 'saw' | 'looks' | 'claimed' | 'committed' | 'notified' | 'renewed'>
