import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// The packages are tested from their sources: no build stands between an edit and its test, but for programs that tests start. Naming conditions replaces
// vite's own, so they follow; all but `module`, under which libraries have what bundlers read and Node cannot.
const conditions = ['@baton/source', 'node', 'development|production']

const house = import.meta.dirname
const folders = ['packages', 'apps', 'examples']
  .flatMap((street) => readdirSync(join(house, street)).map((name) => `${street}/${name}`))
  .concat('scripts')
  .filter((folder) => existsSync(join(house, folder, 'package.json')))

// What talks to servers most of the time waits for them: one more of these files at a time costs no processor.
const waiting = ['packages/adapter-kafka', 'packages/adapter-sqs-dynamo']

// A machine that others use as well lets servers and processes wait, at times for seconds. Tests of how we stand beside them get a second try,
// and what took one is named at the end of a run. The promises, here and in the kit, get one only where a server did not answer.
const amongOthers = folders.filter((folder) => /^(apps|examples)|adapter-|compose|services/.test(folder))
const NO_ANSWER = /no answer within|is not there after|did not start within/

// Many small files, which leave nothing behind in their process: to load the engine anew for each took longer than most of them.
const light = ['packages/core', 'packages/testing', 'packages/store-file']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects: folders.map((folder) => ({
      extends: true as const,
      root: join(house, folder),
      test: {
        name: folder,
        testTimeout: 30_000,
        retry: { count: 1, ...(amongOthers.includes(folder) ? {} : { condition: NO_ANSWER }) },
        include: ['*.test.ts', 'src/**/*.test.ts', 'test/**/*.test.ts'],
        isolate: !light.includes(folder),
        // Groups with other numbers of workers run one after the other.
        ...(waiting.includes(folder) ? { maxWorkers: 3, sequence: { groupOrder: 1 } } : {}),
      },
    })),
    reporters: ['default', './scripts/totals-reporter.ts'],
    // Tests start servers and processes of their own; more files at a time would only make them wait for each other.
    maxWorkers: 2,
    coverage: { include: ['packages/*/src/**/*.ts'], exclude: ['**/*.test.ts'] },
  },
})
