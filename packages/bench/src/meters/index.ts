/** Every meter by name, loaded only when it is its turn. */
import type { RedisContender } from '../redis/contender.ts'
import type { Meter, TurningMeter } from './meter.ts'

const meters: Readonly<Record<string, () => Promise<Meter>>> = {
  'append-fdatasync': async () => (await import('./append-fdatasync.ts')).appendFdatasync,
  'file-store, 1 run': async () => (await import('./file-store.ts')).runsAtOnce(1),
  'file-store, 50 runs': async () => (await import('./file-store.ts')).runsAtOnce(50),
  'loop, in-process': async () => (await import('./loop.ts')).loopInProcess,
  'loop, files': async () => (await import('./loop.ts')).loopOnFiles,
  'sleeping, in memory': async () => (await import('./sleeping.ts')).sleepingInMemory,
  'sleeping, files': async () => (await import('./sleeping.ts')).sleepingOnFiles,
  'a wide run on four workers': async () => (await import('../dynamo/fleet.ts')).wideRun,
  '200 runs of one node': async () => (await import('../dynamo/fleet.ts')).singleRuns,
  'lines on four workers': async () => (await import('../dynamo/fleet.ts')).lines,
  'file-store, 1 MB context': async () => (await import('./large-context.ts')).largeContext,
}

const onRedis: Readonly<Record<string, () => Promise<RedisContender>>> = {
  'baton on redis': async () => (await import('../redis/baton.ts')).contender,
  'baton, all by queue': async () => (await import('../redis/baton.ts')).byQueue,
  'bullmq alone': async () => (await import('../redis/bullmq.ts')).contender,
  'flowcraft on bullmq': async () => (await import('../redis/flowcraft.ts')).contender,
  'baton on kafka': async () => (await import('../kafka/baton.ts')).contender,
  'baton on kafka, all by queue': async () => (await import('../kafka/baton.ts')).byQueue,
  'flowcraft on kafka': async () => (await import('../kafka/flowcraft.ts')).contender,
  'floor-redis': async () => (await import('../redis/floor.ts')).contender,
}

/** @returns undefined where no meter has this name */
export function loadMeter(name: string): Promise<Meter> | undefined {
  return Object.hasOwn(meters, name) ? meters[name]?.() : undefined
}

/** @returns undefined where no meter of this name takes turns */
export async function loadTurningMeter(name: string): Promise<TurningMeter | undefined> {
  const load = Object.hasOwn(onRedis, name) ? onRedis[name] : undefined
  return load === undefined ? undefined : (await import('../redis/meter.ts')).meterOf(load)
}
