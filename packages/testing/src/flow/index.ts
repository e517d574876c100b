/** For users' own tests of their own flows. Needs no test runner, and works with any. */

export type { CheckOptions, Scenario } from './checks/check-options.ts'
export type { CheckReport, NodeCount } from './checks/check-report.ts'
// What a flow has to stand: crashes, doubled jobs, every order
export { type CrashOptions, crashEverywhere } from './checks/crash-everywhere.ts'
export { doubleDeliveries, everySeed, type SeedOptions } from './checks/seeds.ts'
// A flow in a world of its own
export { type FlowTest, type FlowTestOptions, testFlow } from './flow-test.ts'
// What has happened
export { type InstanceOf, type RanOptions, RunJournal, type SleptOptions } from './journal/run-journal.ts'
export type { Effect, Ledger } from './ledger.ts'
// Code in the place of nodes' code
export { fails, type Gives, hangs, type IdsOf, type Stub, type Stubs, type Takes } from './stubs.ts'
export type { TestRun } from './test-run.ts'
export type { RunWait } from './waits.ts'
export type { NodeCall } from './world/code-at-work.ts'
