/** The simulator: real engine code on a clock, a store and a queue that a seed plays with. Needs no test runner. */
export { simulate } from './simulate.ts'
