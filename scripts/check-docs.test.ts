import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { checkDocs, type Flaw } from './check-docs.ts'
import { houseRoot } from './house.ts'

const core = {
  name: '@baton/core',
  exports: { '.': { '@baton/source': './src/index.ts', default: './dist/index.js' } },
}

/** A house of one package, with the pages that a test lays in; answers with the flaws. */
function check(pages: Record<string, string>): Flaw[] {
  const root = mkdtempSync(join(tmpdir(), 'baton-docs-'))
  const files: Record<string, string> = {
    'package.json': JSON.stringify({ type: 'module' }),
    'packages/core/package.json': JSON.stringify(core),
    'packages/core/src/index.ts': `export function greet(name: string): string {\n  return name\n}\n`,
    ...pages,
  }
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), content)
    }
    copyFileSync(join(houseRoot, 'tsconfig.base.json'), join(root, 'tsconfig.base.json'))
    symlinkSync(join(houseRoot, 'node_modules'), join(root, 'node_modules'), 'junction')
    return checkDocs(root)
  } finally {
    rmSync(root, { recursive: true })
  }
}

it('finds nothing to say about pages that are true', () => {
  const flaws = check({
    'README.md': `# House\n\n[the guide](docs/guide.md#second-part) and \`[no](link.md)\`\n\n\`\`\`ts\nimport { greet } from '@baton/core'\nawait Promise.resolve(greet('you'))\n\`\`\`\n`,
    'docs/guide.md': `## Second part\n\n[home](../README.md) [here](#second-part) [out](https://example.org/nothing.md)\n\n\`\`\`ts no-check shows a mistake\nlet a: number = ''\n\`\`\`\n`,
  })

  expect(flaws).toEqual([])
})

it('points to the line of a block whose types are wrong', () => {
  const flaws = check({
    'docs/guide.md': `# Guide\n\n\`\`\`ts\nimport { greet } from '@baton/core'\ngreet(1)\n\`\`\`\n`,
  })

  expect(flaws).toEqual([{ where: 'docs/guide.md:5', what: expect.stringContaining("'number' is not assignable") }])
})

it('lets two blocks of a page use the same name', () => {
  const flaws = check({ 'docs/guide.md': `\`\`\`ts\nconst a = 1\n\`\`\`\n\n\`\`\`ts\nconst a = 2\n\`\`\`\n` })

  expect(flaws).toEqual([])
})

it('wants a reason for a block that is not checked', () => {
  const flaws = check({ 'packages/core/README.md': `\`\`\`ts no-check\nlet a: number = ''\n\`\`\`\n` })

  expect(flaws).toEqual([{ where: 'packages/core/README.md:1', what: expect.stringContaining('needs a reason') }])
})

it('finds links that lead nowhere, in any Markdown file', () => {
  const flaws = check({ 'notes/a.md': `[gone](b.md) [no heading](#nope)\n\n[ref]: ../c.md\n` })

  expect(flaws).toEqual([
    { where: 'notes/a.md:1', what: 'b.md: there is no such file' },
    { where: 'notes/a.md:1', what: '#nope: that page has no such heading' },
    { where: 'notes/a.md:3', what: '../c.md: there is no such file' },
  ])
})

it('finds what was left to be written', () => {
  const flaws = check({ 'docs/guide.md': `# Guide\n\nTODO say more\n` })

  expect(flaws).toEqual([{ where: 'docs/guide.md:3', what: expect.stringContaining('TODO') }])
})
