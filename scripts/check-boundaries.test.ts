import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Breach, checkBoundaries } from './boundaries.ts'
import { table, testTools } from './check-boundaries.ts'

const core = { name: '@baton/core', dependencies: {}, exports: { '.': './a', './adapter': './b' } }
const testing = {
  name: '@baton/testing',
  exports: { '.': './a' },
  peerDependencies: { '@baton/core': '*', vitest: '*' },
}
const adapter = {
  name: '@baton/adapter-x',
  exports: { '.': './a' },
  peerDependencies: { '@baton/core': '*', xclient: '*' },
}
const agent = { name: '@baton/agent', exports: { '.': './a' }, peerDependencies: { '@baton/core': '*' } }
const proof = { name: '@baton/proof', private: true, exports: { '.': './a' } }

/** A house with these packages and nothing in them, then the files that a test lays in; answers with the breaches. */
function check(files: Record<string, string | object>): Breach[] {
  const root = mkdtempSync(join(tmpdir(), 'baton-boundaries-'))
  const house: Record<string, string | object> = {
    'packages/core/package.json': core,
    'packages/testing/package.json': testing,
    'packages/adapter-x/package.json': adapter,
    'packages/agent/package.json': agent,
    'packages/proof/package.json': proof,
    ...files,
  }
  try {
    for (const [path, content] of Object.entries(house)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
    }
    return checkBoundaries(root, table, testTools)
  } finally {
    rmSync(root, { recursive: true })
  }
}

describe('what the table allows', () => {
  it('finds nothing to say about a house that keeps to it', () => {
    const breaches = check({
      'packages/core/src/index.ts': `export { run } from './engine/run.ts'`,
      'packages/core/src/model/run.ts': `import type { Id } from './id.ts'`,
      'packages/core/src/machine/apply.ts': `import type { IStore } from '../ports/store.ts'`,
      'packages/core/src/engine/run.ts': `import { apply } from '../machine/apply.ts'`,
      'packages/core/src/envelope/sign.ts': `import { createHmac } from 'node:crypto'`,
      'packages/core/src/engine/run.test.ts': `import { it } from 'vitest'\nimport { all } from '../index.ts'`,
      'packages/testing/src/index.ts': `import { it } from 'vitest'\nimport { readFile } from 'node:fs/promises'`,
      'packages/adapter-x/src/index.ts': `import { a } from '@baton/core/adapter'\nimport x from 'xclient/deep'`,
      'packages/adapter-x/test/conformance.test.ts': `import { suite } from '@baton/testing'`,
      'packages/proof/src/chaos.ts': `import { x } from '@baton/adapter-x'\nimport { suite } from '@baton/testing'`,
    })

    expect(breaches).toEqual([])
  })
})

describe('what the table refuses', () => {
  it.each([
    ['packages/core/src/model/run.ts', `import { a } from '../engine/run.ts'`, 'truth must be easy to replay'],
    ['packages/core/src/model/run.ts', `import type { A } from '../ports/store.ts'`, 'truth must be easy to replay'],
    ['packages/core/src/ports/store.ts', `export * from '../engine/run.ts'`, 'speaks in the words of the model'],
    ['packages/core/src/machine/apply.ts', `import { a } from '../ports/store.ts'`, 'the same ones'],
    ['packages/core/src/engine/run.ts', `import { a } from '../memory/run-store.ts'`, 'there is one engine'],
    ['packages/core/src/engine/run.ts', `import { all } from '../index.ts'`, 'there is one engine'],
    ['packages/core/src/memory/run-store.ts', `import { a } from '../runtime/flow-runtime.ts'`, 'no privilege'],
    ['packages/core/src/engine/run.ts', `const hash = await import('node:crypto')`, 'there is one engine'],
    ['packages/core/src/envelope/sign.ts', `import { readFileSync } from 'fs'`, 'all that core needs Node for'],
    ['packages/core/src/runtime/flow-runtime.ts', `type Url = import('node:url').URL`, 'core runs anywhere'],
    ['packages/core/src/index.ts', `import lib from 'lodash'`, 'depends on nothing'],
    ['packages/core/src/new-room/a.ts', `import { a } from '../model/run.ts'`, 'no row for core/new-room'],
    ['packages/core/src/model/run.test.ts', `import { suite } from '@baton/testing'`, 'packages/testing/test'],
    ['packages/core/src/model/run.ts', `import { it } from 'vitest'`, 'test runner'],
    ['packages/adapter-x/src/index.ts', `import { suite } from '@baton/testing'`, 'test runner'],
    ['packages/adapter-x/src/index.ts', `import { Agent } from '@baton/agent'`, 'any queue goes with any store'],
    ['packages/adapter-x/src/index.ts', `import other from 'unlisted'`, 'any queue goes with any store'],
    ['packages/adapter-x/src/index.ts', `import { a } from '../../core/src/index.ts'`, 'meet at their doors'],
    ['packages/adapter-x/src/index.ts', `import { a } from '../test/world.ts'`, 'do not travel'],
    ['packages/adapter-x/src/index.ts', `import { a } from '@baton/core/model'`, 'no such door'],
    ['packages/agent/src/index.ts', `import { a } from '@baton/core/adapter'`, 'every adapter'],
    ['packages/agent/test/a.test.ts', `import { chaos } from '@baton/proof'`, 'what a user could'],
  ])('refuses in %s: %s', (file, text, because) => {
    const breaches = check({ [file]: `\n${text}\n` })

    expect(breaches).toEqual([
      expect.objectContaining({ where: `${file}:2`, because: expect.stringContaining(because) }),
    ])
  })

  it.each([
    ['core', 'dependencies may not list lodash', { ...core, dependencies: { lodash: '*' } }, 'depends on nothing'],
    ['core', 'dependencies must be written down as {}', { ...core, dependencies: undefined }, 'says so'],
    ['core', 'may not list @baton/testing', { ...core, devDependencies: { '@baton/testing': '*' } }, 'a cycle'],
    ['adapter-x', 'xclient must be a peerDependency', { ...adapter, dependencies: { xclient: '*' } }, 'one copy'],
    ['adapter-x', 'may not list @baton/agent', { ...adapter, peerDependencies: { '@baton/agent': '*' } }, 'any queue'],
    ['agent', 'may not list @baton/testing', { ...agent, dependencies: { '@baton/testing': '*' } }, 'test runner'],
    ['agent', 'may not list @baton/proof', { ...agent, devDependencies: { '@baton/proof': '*' } }, 'what a user could'],
  ])('refuses in the package.json of %s: %s', (name, what, manifest, because) => {
    const breaches = check({ [`packages/${name}/package.json`]: manifest })

    expect(breaches).toContainEqual({
      where: `packages/${name}/package.json`,
      what: expect.stringContaining(what),
      because: expect.stringContaining(because),
    })
  })
})
