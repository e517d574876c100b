import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { houseRoot } from './house.ts'

/** Runs vitest with our reporter on these test files, in a process and a folder of their own. */
function runVitest(
  files: Record<string, string>,
  ...args: string[]
): { lastLine: string | undefined; notes: readonly string[]; exitCode: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'baton-totals-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const vitest = join(houseRoot, 'node_modules/vitest/vitest.mjs')
    const reporters = ['--reporter=default', `--reporter=${join(houseRoot, 'scripts/totals-reporter.ts')}`]
    const { stdout, status } = spawnSync(
      process.execPath,
      [vitest, 'run', `--root=${folder}`, '--globals', ...reporters, ...args],
      { encoding: 'utf8' },
    )
    const lines = stdout.trimEnd().split('\n')
    const notes = lines.filter((line) => /^(failed|passed at the second try): /.test(line))
    return { lastLine: lines.at(-1), notes, exitCode: status }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const good = `it('a', () => {}); it('b', () => {}); it.skip('c', () => {}); it.todo('d')`

it('closes with the totals, and lets the run succeed', () => {
  const run = runVitest({ 'good.test.js': good })

  expect(run).toEqual({ lastLine: '2 passed, 0 failed, 2 skipped', notes: [], exitCode: 0 })
})

it('counts as failed what broke outside a test', () => {
  const run = runVitest({
    'good.test.js': good,
    'assert.test.js': `it('fails', () => { throw new Error('no') })`,
    'collect.test.js': `import './not-there.js'`,
    'hook.test.js': `describe('s', () => { beforeAll(() => { throw new Error('no') }); it('never ran', () => {}) })`,
  })

  expect(run).toEqual({
    lastLine: '2 passed, 3 failed, 3 skipped',
    notes: [
      'failed: assert.test.js fails',
      expect.stringContaining('failed: collect.test.js: Cannot find module'),
      'failed: hook.test.js: no',
    ],
    exitCode: 1,
  })
})

it('fails a run in which no test ran', () => {
  const none = runVitest({ 'good.test.js': good }, '--passWithNoTests', '--testNamePattern=no such test')
  const empty = runVitest({}, '--passWithNoTests')

  expect(none).toEqual({ lastLine: '0 passed, 0 failed, 4 skipped', notes: [], exitCode: 1 })
  expect(empty).toEqual({ lastLine: '0 passed, 0 failed, 0 skipped', notes: [], exitCode: 1 })
})

it('names what passed at the second try only', () => {
  const again = `let tries = 0; it('comes', { retry: 1 }, () => { if (tries++ === 0) throw new Error('not yet') })`
  const run = runVitest({ 'again.test.js': again })

  expect(run).toEqual({
    lastLine: '1 passed, 0 failed, 0 skipped',
    notes: ['passed at the second try: again.test.js comes'],
    exitCode: 0,
  })
})
