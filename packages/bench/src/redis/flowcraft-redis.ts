import { createRequire } from 'node:module'
import type { Redis } from 'ioredis'

/** The client that flowcraft's adapter brings along: it takes no other for one. */
export const FlowcraftRedis: typeof Redis = createRequire(import.meta.resolve('@flowcraft/bullmq-adapter'))('ioredis')
