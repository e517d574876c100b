import { asyncContext } from './async-context.ts'
import { claiming } from './run-store/claiming.ts'
import { claimingAlong } from './run-store/claiming-along.ts'
import { committing } from './run-store/committing.ts'
import { committingAgain } from './run-store/committing-again.ts'
import { continuing } from './run-store/continuing.ts'
import { creating } from './run-store/creating.ts'
import { deadLettering } from './run-store/dead-lettering.ts'
import { ending } from './run-store/ending.ts'
import { findingDue } from './run-store/finding-due.ts'
import { following } from './run-store/following.ts'
import { joining } from './run-store/joining.ts'
import { keepingValues } from './run-store/keeping-values.ts'
import { limiting } from './run-store/limiting.ts'
import { listing } from './run-store/listing.ts'
import { mapping } from './run-store/mapping.ts'
import { pausing } from './run-store/pausing.ts'
import { publishing } from './run-store/publishing.ts'
import { purging } from './run-store/purging.ts'
import { renewing } from './run-store/renewing.ts'
import { startingFromState } from './run-store/starting-from-state.ts'
import { telling } from './run-store/telling.ts'
import { waiting } from './run-store/waiting.ts'
import { waitingForTheEnd } from './run-store/waiting-for-the-end.ts'
import { waitingLists } from './run-store/waiting-lists.ts'
import type { Suite } from './suite.ts'

/** What every `IRunStore` must do, and the context that is read from it. */
export const runStoreSuites: readonly Suite[] = [
  creating,
  claiming,
  committing,
  committingAgain,
  claimingAlong,
  joining,
  waiting,
  mapping,
  telling,
  limiting,
  continuing,
  ending,
  pausing,
  deadLettering,
  startingFromState,
  renewing,
  findingDue,
  waitingLists,
  following,
  waitingForTheEnd,
  listing,
  purging,
  publishing,
  asyncContext,
  keepingValues,
]
