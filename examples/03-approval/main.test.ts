import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const here = import.meta.dirname

function start(TMPDIR: string, ...args: string[]) {
  return spawnSync(process.execPath, ['--conditions=@baton/source', '--import', 'tsx', 'main.ts', ...args], {
    cwd: here,
    encoding: 'utf8',
    env: { ...process.env, TMPDIR },
  })
}

it('prints what its README says it prints, over two processes', () => {
  const TMPDIR = mkdtempSync(join(tmpdir(), 'baton-test-'))

  const asked = start(TMPDIR).stdout
  const folder = /approve (.*)$/m.exec(asked)?.[1] ?? ''
  const answered = start(TMPDIR, 'approve', folder).stdout
  const printed = (asked + answered).replace(folder, '<folder>')

  expect(printed).toBe(readFileSync(join(here, 'expected-output.txt'), 'utf8'))
  expect(readFileSync(join(here, 'README.md'), 'utf8')).toContain(`\`\`\`text\n${printed}\`\`\``)
  expect(start(TMPDIR, 'approve', folder)).toMatchObject({ stdout: answered, status: 0 })
  rmSync(TMPDIR, { recursive: true, force: true })
})

it('makes nothing of a folder that is not there', () => {
  const folder = join(tmpdir(), 'baton-test-nowhere')

  const { status, stderr } = start(tmpdir(), 'approve', folder)

  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(`There is no folder ${folder}.`) })
  expect(existsSync(folder)).toBe(false)
})
