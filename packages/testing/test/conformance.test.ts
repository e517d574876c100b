import { conformance, memorySubject } from '../src/index.ts'

conformance(memorySubject)
