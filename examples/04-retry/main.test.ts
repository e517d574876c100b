import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const here = import.meta.dirname

it('prints what its README says it prints', () => {
  const fromSource = ['--conditions=@baton/source', '--import', 'tsx']

  const printed = execFileSync(process.execPath, [...fromSource, 'main.ts'], { cwd: here, encoding: 'utf8' })

  expect(printed).toBe(readFileSync(join(here, 'expected-output.txt'), 'utf8'))
  expect(readFileSync(join(here, 'README.md'), 'utf8')).toContain(`\`\`\`text\n${printed}\`\`\``)
})
