import { memorySubject } from '@baton/testing'
import { runScenarios } from './run-scenarios.ts'

runScenarios(memorySubject)
