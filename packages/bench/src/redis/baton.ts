import { BullMQAdapter } from '@baton/adapter-bullmq'
import type { EngineOptions } from '@baton/core/adapter'
import { batonWith } from '../engines/baton.ts'
import type { ContenderOptions } from './contender.ts'

/** Runs and jobs in Redis, as a user sets it up: client and worker share a process, and few jobs have to leave it. */
export const contender = batonWith('own-places', onBullMQ)

/** The same as with a client in another process: every start, and every branch, goes through BullMQ. */
export const byQueue = batonWith('queue', onBullMQ)

async function onBullMQ({ url }: ContenderOptions, settings: EngineOptions): Promise<BullMQAdapter> {
  return new BullMQAdapter({ connection: url, ...settings })
}
