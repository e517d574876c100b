export { fileSubject } from './file-subject.ts'
export { redisSubject } from './redis-subject.ts'
export { runLocally, StoredRuns, type Told, withoutTimes } from './same-journal.ts'
export { type Expected, type Scenario, scenarios } from './scenario.ts'
