/** `npm run simulate`, from its sources. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const main = join(import.meta.dirname, '..', 'src', 'simulator', 'command', 'main.ts')

function run(...args: readonly string[]) {
  const typed = ['--conditions=@baton/source', '--import', 'tsx', main, ...args]
  return spawnSync(process.execPath, typed, { encoding: 'utf8' })
}

describe('simulate', () => {
  it('ends with a line that says how many seeds and violations there were', { timeout: 60_000 }, () => {
    const { status, stdout } = run('--seeds', '30', '--from', '7')

    expect(stdout.trim().split('\n').at(-1)).toBe('30 seeds, 0 violations')
    expect(status).toBe(0)
  })

  it('says the same to programs', { timeout: 60_000 }, () => {
    const { stdout } = run('--seeds', '3', '--json')

    expect(JSON.parse(stdout)).toMatchObject({ seeds: 3, from: 1, violations: 0, failing: [] })
  })

  it('tells what it can be told', { timeout: 60_000 }, () => {
    const { status, stdout } = run('--help')

    expect(status).toBe(0)
    for (const option of ['--seeds', '--from', '--mutants', '--json', '--help']) expect(stdout).toContain(option)
  })

  it.each([[['--seeds', 'many']], [['--from', '-1']], [['--speed']]])('refuses %j', { timeout: 60_000 }, (args) => {
    const { status, stdout, stderr } = run(...args)

    expect(status).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/--seeds takes|--from|--speed/)
  })
})
