import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const here = import.meta.dirname

it('prints what its README says it prints, over four processes', { timeout: 120_000 }, () => {
  const TMPDIR = mkdtempSync(join(tmpdir(), 'baton-test-'))

  const { stdout, status } = spawnSync(process.execPath, ['--conditions=@baton/source', '--import', 'tsx', 'main.ts'], {
    cwd: here,
    encoding: 'utf8',
    env: { ...process.env, TMPDIR },
  })

  expect(stdout).toBe(readFileSync(join(here, 'expected-output.txt'), 'utf8'))
  expect(readFileSync(join(here, 'README.md'), 'utf8')).toContain(`\`\`\`text\n${stdout}\`\`\``)
  expect(status).toBe(0)
  rmSync(TMPDIR, { recursive: true, force: true })
})
