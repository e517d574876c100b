/** `npm run chaos`: what it says before it does anything. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { houseProgram } from '@baton/services'
import { expect, it } from 'vitest'

const { file, nodeFlags } = houseProgram(join(import.meta.dirname, '../src/chaos/main.ts'))

function run(...args: readonly string[]) {
  return spawnSync(process.execPath, [...nodeFlags, file, ...args], { encoding: 'utf8', cwd: import.meta.dirname })
}

it('tells what it can be told', () => {
  const { status, stdout } = run('--help')

  expect(status).toBe(0)
  const options = ['--adapter', '--kills', '--seconds', '--storm', '--brokers', '--seed', '--json']
  for (const option of options) expect(stdout).toContain(option)
})

it.each([
  [['--adapter', 'paper'], 'No adapter paper; there is bullmq, file, kafka, sqs-dynamo'],
  // A file beside the adapters is none.
  [['--adapter', 'index'], 'No adapter index; there is bullmq, file, kafka, sqs-dynamo'],
  [['--kills', 'many'], '--kills takes a number from 1, not many'],
  [['--storm', '-1'], '--storm'],
  [['--storm', 'long'], '--storm takes a number from 0, not long'],
  [['--brokers', '3'], '--brokers means nothing with file'],
  [['--adapter', 'kafka', '--brokers', '2'], '--brokers takes 3 or 1, not 2'],
  [['--speed'], '--speed'],
])('refuses %j', (args, said) => {
  const { status, stdout, stderr } = run(...args)

  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toContain(said)
})
