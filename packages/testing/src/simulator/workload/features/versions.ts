import type { Feature } from '../feature.ts'

/** Each flow in two versions, and workers that lack one of them: a matter of runs and staff. */
export const rollingVersions: Feature = { name: 'rolling versions' }
