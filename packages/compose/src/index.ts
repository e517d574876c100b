/** What programs that run Baton share: how they are told where runs are kept, and how they complain. */

// The environment
export { readEnvironment, type Values, type Variable } from './environment.ts'

// Stores and queues
export { type Address, addressesOf } from './addresses.ts'
export type { Ports } from './backends/backend.ts'
export { maskedUrl } from './masked-url.ts'
export { type CheckOptions, checkPorts, type OpenOptions, openPorts } from './open-ports.ts'

// Flows
export { type FlowsFile, flowsFileOf, loadFlows } from './load-flows.ts'

// The process
export { whenParentIsGone } from './parent.ts'

// Mistakes, and what was probably meant
export { describeMistake, mistake } from './mistake.ts'
export { nearestOf } from './nearest.ts'
