/**
 * Who may import whom. The table is data; each row says why, and the reason is printed when the row is broken.
 * `boundaries.ts` knows how to hold the house against it.
 *
 * Part of `npm run check`; alone: `npx tsx scripts/check-boundaries.ts`.
 */
import { checkBoundaries, type Row, type TestTools } from './boundaries.ts'
import { houseRoot } from './house.ts'

const oneEngine = 'there is one engine and several doors to it, and the doors do not know of each other'
const anyBackend = 'any queue goes with any store, so an adapter knows core and its own client library, nothing else'
const anyAdapter = 'features speak to core alone, so they run on every adapter'
const composes = 'it composes what is public, as a user would; nobody imports it'
const helpsUs = 'it is private and may look anywhere; nobody imports it'

const coreDoors = ['@baton/core', '@baton/core/adapter']

export const table: readonly Row[] = [
  { from: 'core/model', mayImport: [], because: 'truth must be easy to replay, to simulate and to read' },
  { from: 'core/ports', mayImport: ['core/model'], because: 'a port speaks in the words of the model' },
  {
    from: 'core/machine',
    mayImport: ['core/model', 'core/ports (types)'],
    because: 'the rules by which a run changes are pure, so that every store applies the same ones',
  },
  {
    from: 'core/analysis',
    mayImport: ['core/model'],
    because: 'whoever looks at a graph needs nothing that runs it, and what runs it needs nobody who looks',
  },
  { from: 'core/context', mayImport: ['core/model', 'core/ports'], because: oneEngine },
  {
    from: 'core/engine',
    mayImport: ['core/model', 'core/ports', 'core/context', 'core/machine'],
    because: oneEngine,
  },
  { from: 'core/flow', mayImport: ['core/model', 'core/ports', 'core/engine'], because: oneEngine },
  {
    from: 'core/envelope',
    mayImport: ['core/model', 'core/ports', 'core/engine', 'node:crypto'],
    because: `${oneEngine}; signing is all that core needs Node for`,
  },
  {
    from: 'core/client',
    mayImport: ['core/model', 'core/ports', 'core/context', 'core/engine'],
    because: `${oneEngine}; a client encodes what it sends and decodes what it reads`,
  },
  {
    from: 'core/memory',
    mayImport: ['core/model', 'core/ports', 'core/engine', 'core/machine'],
    because: 'the reference adapter gets no privilege: it has what every adapter has',
  },
  {
    from: 'core/command-log',
    mayImport: ['core/model', 'core/ports', 'core/machine', 'core/context'],
    because: 'a store whose runs are logs is the same on every backend, and knows none of them',
  },
  {
    from: 'core/runtime',
    mayImport: ['core/*'],
    because: 'it is the in-process face of the same engine, and core runs anywhere',
  },
  { from: 'core', mayImport: ['core/*'], because: 'core runs anywhere and depends on nothing' },
  {
    from: 'packages/core tests',
    mayImport: ['core', 'core/*', 'node', 'vitest', 'fast-check'],
    because:
      'core lists nothing, and turbo refuses a cycle with @baton/testing: such tests live in packages/testing/test',
  },

  {
    from: 'packages/testing',
    mayImport: [...coreDoors, 'node', 'library'],
    because: 'the suites see an adapter through the doors of core, as its users do',
  },
  { from: 'packages/adapter-*', mayImport: [...coreDoors, 'node', 'library'], because: anyBackend },
  { from: 'packages/store-*', mayImport: [...coreDoors, 'node', 'library'], because: anyBackend },
  { from: 'packages/agent', mayImport: ['@baton/core', 'node', 'library'], because: anyAdapter },
  { from: 'packages/schedule', mayImport: ['@baton/core', 'node', 'library'], because: anyAdapter },
  { from: 'packages/operator', mayImport: ['@baton/core', 'node', 'library'], because: anyAdapter },
  { from: 'packages/coordinator', mayImport: ['@baton/core', 'node', 'library'], because: anyAdapter },

  {
    from: 'packages/compose',
    mayImport: ['public', 'node', 'library'],
    because: 'apps, the CLI and the console all open stores by URL, and do it alike',
  },
  { from: 'packages/cli', mayImport: ['public', 'node', 'library'], because: composes },
  { from: 'packages/console', mayImport: ['public', 'node', 'library'], because: composes },
  { from: 'apps/*', mayImport: ['public', 'node', 'library'], because: composes },
  {
    from: 'examples/00-main-job',
    mayImport: ['public', '@baton/services', 'node', 'library'],
    because: `${composes}; it may start the server that it shows`,
  },
  { from: 'examples/*', mayImport: ['public', 'node', 'library'], because: composes },

  { from: 'packages/services', mayImport: ['house', 'node', 'library'], because: helpsUs },
  { from: 'packages/proof', mayImport: ['house', 'node', 'library'], because: helpsUs },
  { from: 'packages/bench', mayImport: ['house', 'node', 'library'], because: helpsUs },

  {
    from: '*/* tests',
    mayImport: ['public', '@baton/services', 'node', 'library', 'vitest', 'fast-check'],
    because: 'a test may use what a user could, and the servers we start for it',
  },
]

/** Whatever a row allows, these stay out of the sources of everybody else. */
export const testTools: TestTools = {
  names: ['@baton/testing', 'vitest'],
  mayBeUsedBy: ['packages/testing', 'packages/services', 'packages/proof', 'packages/bench'],
  because: 'who installs a package must not need a test runner to load it',
}

if (process.argv[1] === import.meta.filename) {
  const breaches = checkBoundaries(houseRoot, table, testTools)
  for (const { where, what, because } of breaches) console.error(`${where}  ${what}\n    because ${because}`)
  if (breaches.length > 0) process.exitCode = 1
  else console.log('Every import and every package.json keeps to the table.')
}
