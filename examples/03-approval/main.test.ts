import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const here = import.meta.dirname

it('prints what its README says it prints, over two processes', () => {
  const TMPDIR = mkdtempSync(join(tmpdir(), 'baton-test-'))
  const start = (...args: string[]) =>
    execFileSync(process.execPath, ['--conditions=@baton/source', '--import', 'tsx', 'main.ts', ...args], {
      cwd: here,
      encoding: 'utf8',
      env: { ...process.env, TMPDIR },
    })

  const asked = start()
  const folder = /approve (.*)$/m.exec(asked)?.[1] ?? ''
  const printed = (asked + start('approve', folder)).replace(folder, '<folder>')

  expect(printed).toBe(readFileSync(join(here, 'expected-output.txt'), 'utf8'))
  expect(readFileSync(join(here, 'README.md'), 'utf8')).toContain(`\`\`\`text\n${printed}\`\`\``)
  rmSync(TMPDIR, { recursive: true, force: true })
})
