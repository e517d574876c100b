/** What people who build adapters test them with. The suites register tests with vitest. */

// Flows to test with
export { choiceFlow, fanFlow, flakyFlow, lineFlow, mapFlow, steppedFlow, Witness } from './blueprints.ts'
// The kit
export {
  adapterConformance,
  allSuites,
  conformance,
  coordinationStoreConformance,
  jobQueueConformance,
  runStoreConformance,
} from './conformance/conformance.ts'
export { Crew, KeptLog, type MemberOptions } from './conformance/crew.ts'
export { eventsOf } from './conformance/hand.ts'
export { Stage } from './conformance/stage.ts'
export type { Meter, Need, Subject, World, WorldOptions } from './conformance/subject.ts'
export { type Case, type FailedCase, findFailures, type Suite } from './conformance/suite.ts'
// Ports with something wrong about them
export {
  around,
  Cable,
  HeldBackQueue,
  losesAnswers,
  type Mischief,
  mischiefs,
  withMischief,
} from './conformance/troubled-ports.ts'
export { memorySubject } from './memory-subject.ts'
export { type RandomFlow, type RandomFlowOptions, randomFlow } from './random-graph.ts'
// Time and waiting in tests
export { Countdown, Signal, settled } from './signal.ts'
export { TestClock, type TestClockOptions } from './test-clock.ts'
