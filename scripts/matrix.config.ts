import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import house from '../vitest.config.ts'

const { resolve = {}, ssr = {} } = house

// `npm run matrix`: as the house tests, but one file that the house leaves out, and with a table.
export default defineConfig({
  resolve,
  ssr,
  test: {
    root: join(import.meta.dirname, '..', 'packages', 'proof'),
    include: ['matrix/pairs.test.ts'],
    reporters: [join(import.meta.dirname, 'matrix-reporter.ts')],
    // Most of the time each of them waits.
    sequence: { concurrent: true },
    maxConcurrency: 3,
  },
})
