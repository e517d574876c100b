import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { analyseFile, listMarkdown, takeApart } from './analyse.ts'

function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'baton-markdown-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  return folder
}

it('finds Markdown at every depth and leaves out node_modules, dist and dot folders', async () => {
  const folder = folderOf({
    'b.md': '',
    'a/deep/c.MARKDOWN': '',
    'a/x.txt': '',
    'node_modules/m/README.md': '',
    'a/dist/d.md': '',
    '.git/e.md': '',
  })

  expect(await listMarkdown(folder)).toEqual(['a/deep/c.MARKDOWN', 'b.md'])
})

it('leaves out the one file that it is told to', async () => {
  const folder = folderOf({ 'a.md': '', 'report.md': '', 'deep/report.md': '' })

  expect(await listMarkdown(folder, join(folder, 'report.md'))).toEqual(['a.md', 'deep/report.md'])
})

it('counts a word once, however deeply it is nested', () => {
  const { words, headings } = takeApart(
    '# One **two**\n\n- three [four *five*](x.md)\n\n| six | `seven` |\n| --- | --- |\n',
  )

  expect(words).toBe(7)
  expect(headings).toEqual([{ depth: 1, text: 'One **two**' }])
})

it('sees a heading that a byte order mark comes before', () => {
  expect(takeApart('\uFEFF# One\n').headings).toEqual([{ depth: 1, text: 'One' }])
})

it('finds where links and images lead, also by reference, and not what only looks like a link', () => {
  const { targets } = takeApart('[a](one.md) ![b](two.png) [c][ref] `[d](no.md)`\n\n[ref]: three.md\n')

  expect(targets).toEqual(['one.md', 'two.png', 'three.md'])
})

it('takes a relative link that leads nowhere for a finding, and asks nothing of the others', async () => {
  const folder = folderOf({
    'docs/a.md':
      '[up](../b.md#part) [folder](../docs) [space](my%20file.md) [root](/b.md) [gone](gone.md) ' +
      '[web](https://x.invalid/y.md) [mail](mailto:a@b.c) [here](#there) [twice](gone.md)',
    'docs/my file.md': '',
    'b.md': '',
  })

  const facts = await analyseFile(folder, 'docs/a.md')

  expect(facts.broken).toEqual(['gone.md'])
  expect(facts.links).toEqual({ relative: 6, elsewhere: 3 })
})

it('takes a file that cannot be read for a finding', async () => {
  expect(await analyseFile(folderOf({}), 'gone.md')).toMatchObject({ unreadable: 'ENOENT', words: 0 })
})
