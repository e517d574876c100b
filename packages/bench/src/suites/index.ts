import type { Suite } from '../suite.ts'
import { core as inProcess } from './core.ts'
import { dynamo } from './dynamo.ts'
import { file } from './file.ts'
import { kafka } from './kafka.ts'
import { loop } from './loop.ts'
import { redis } from './redis.ts'
import { sleeping } from './sleeping.ts'

/** All that the core and the embedded default promise. */
const core: Suite = {
  name: 'core',
  cases: [...inProcess.cases, ...file.cases],
  comparisons: [...inProcess.comparisons, ...file.comparisons],
}

export const suites: Readonly<Record<string, Suite>> = {
  core,
  'in-process': { ...inProcess, name: 'in-process' },
  file,
  loop,
  redis,
  kafka,
  dynamo,
  sleeping,
}
