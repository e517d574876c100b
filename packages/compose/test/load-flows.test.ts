import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { flowsFileOf, loadFlows } from '../src/load-flows.ts'
import { temporaryFolder } from './folder.ts'

const core = pathToFileURL(join(import.meta.dirname, '../../core/src/index.ts')).href

function moduleWith(text: string): string {
  const file = join(temporaryFolder(), 'flows.mjs')
  writeFileSync(file, text)
  return file
}

it.each([
  { exported: 'a list', text: 'export const flows = [a, b]' },
  { exported: 'a record', text: 'export const flows = { a, b }' },
])('takes $exported of flows', async ({ text }) => {
  const made = "createFlow('a').node('n', () => {}), b = createFlow('b').node('n', () => {})"
  const file = moduleWith(`import { createFlow } from ${JSON.stringify(core)}\nconst a = ${made}\n${text}\n`)

  const flows = await loadFlows({ file, field: '--flows' })

  expect(flows.map((flow) => flow.toBlueprint().id)).toEqual(['a', 'b'])
})

it.each([
  { what: 'a file that is not there', file: () => './nowhere.js', says: 'there is no file' },
  { what: 'a module without flows', file: () => moduleWith('export const flow = 1'), says: 'does not export flows' },
  { what: 'an empty list', file: () => moduleWith('export const flows = []'), says: 'the list of flows in' },
  { what: 'what is no flow', file: () => moduleWith('export const flows = [{}]'), says: 'does not export flows' },
  { what: 'a module that throws', file: () => moduleWith("throw new Error('oh no')"), says: 'cannot be loaded: oh no' },
])('refuses $what, and names who named it', async ({ file, says }) => {
  const refused = loadFlows({ file: file(), field: 'BATON_FLOWS' })

  await expect(refused).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    field: 'BATON_FLOWS',
    message: expect.stringContaining(says),
  })
})

it('listens to what was typed before it listens to the environment', () => {
  const values = { BATON_FLOWS: 'env.js' }

  expect(flowsFileOf(values, 'typed.js')).toEqual({ file: 'typed.js', field: '--flows' })
  expect(flowsFileOf(values)).toEqual({ file: 'env.js', field: 'BATON_FLOWS' })
  expect(flowsFileOf({})).toBeUndefined()
})
